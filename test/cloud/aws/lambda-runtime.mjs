// The process of one environment of a function: loads the deployed file and answers events, one at a time, as Lambda's Node runtime does.
const { handler } = await import(process.argv[2]);
// Whoever started it is gone.
process.on('disconnect', () => process.exit());
process.send({ ready: true });
process.on('message', async ({ id, event, context }) => {
  const deadline = Date.now() + context.timeout * 1000;
  const given = { ...context, getRemainingTimeInMillis: () => deadline - Date.now() };
  try {
    process.send({ id, ok: JSON.stringify((await handler(event, given)) ?? null) });
  } catch (error) {
    const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
    const trace = String(stack).split('\n');
    process.send({ id, error: JSON.stringify({ errorType: name, errorMessage: message, trace }) });
  }
});
