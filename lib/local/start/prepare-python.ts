import type { Project } from '../../language/project.ts';
import { RequestFault } from '../../language/request-fault.ts';
import { EnvironmentError, type PythonHost } from '../workers/python-host.ts';
import type { RunServices } from './run-request.ts';

/** Before anything runs: throws a RequestFault for what is missing, or cannot be installed. */
export async function preparePython(
  python: PythonHost,
  project: Project,
  signal: AbortSignal,
  services: RunServices,
): Promise<void> {
  if (services.onNotice !== undefined) python.onNotice = services.onNotice;
  const destroy = (): void => python.destroy();
  if (signal.aborted) destroy();
  signal.addEventListener('abort', destroy);
  try {
    await python.pool();
  } catch (error) {
    destroy();
    if (signal.aborted) throw new RequestFault('interrupted', 'stopped before the run began', [], error);
    if (!(error instanceof EnvironmentError)) throw error;
    const { span, message, notes } = error.diagnostic;
    if (span === undefined) throw new RequestFault('environment', message, notes, error);
    await services.onDiagnostics?.([error.diagnostic], project);
    throw new RequestFault('environment', 'the Python environment cannot be made', [], error);
  } finally {
    signal.removeEventListener('abort', destroy);
  }
}
