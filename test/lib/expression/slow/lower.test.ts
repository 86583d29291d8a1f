/** 4,000 templates and 2,000 scripts. Covers lib/expression/lower.ts. */
import '../lower.test.ts';
