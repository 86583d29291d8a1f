/** Every loop in every way. Covers lib/compiler/operators/loop.ts. */
import '../loops.test.ts';
