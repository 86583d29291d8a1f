/** All 5,000 inputs. */
import '../language.test.ts';
