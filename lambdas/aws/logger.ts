import { Logger } from '@aws-lambda-powertools/logger';

/** JSON lines in the function's log; POWERTOOLS_LOG_LEVEL decides which. Never give it a payload: it holds the task's token. */
export const logger = new Logger({ serviceName: process.env.TROWEL_PROJECT ?? 'trowel' });
