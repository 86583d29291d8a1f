/** Every way of damage to a history. */
import '../resume.test.ts';
