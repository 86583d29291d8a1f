"""Objects that JSON does not hold (dates, arrays, frames, tables) as marked text or as files, and back. Imports a library only then."""
