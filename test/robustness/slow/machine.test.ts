/** Every environment and path. */
import '../machine.test.ts';
