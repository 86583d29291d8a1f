/** Reports a late session, for the machine that waits next to it (lib/compiler/sla.ts). */

import { attemptPath } from '../../contract/names.ts';
import type { Payload } from '../../contract/payload.ts';
import { deliver } from './delivery.ts';
import { type ExecutionServices, mark, type Told } from './execution-ended.ts';
import { runningTasks } from './history.ts';
import { fields, type Report } from './report.ts';
import { shortList } from './short-list.ts';

export async function late(payload: Payload, services: ExecutionServices): Promise<Told> {
  if (!services.on.has('sla')) return { ignored: 'notifications.on has no sla' };
  const { vars, attempt } = payload.b;
  const { workflow, execution = '', sla = '' } = attempt;
  const name = execution.slice(execution.lastIndexOf(':') + 1);
  // Asked first: a further try of the state has another request id, and a mark that this try took would look like another sender's.
  const running = runningTasks(await services.events(execution, 'last'));
  const claim = await services.marks.claim(attemptPath(workflow, name), mark('sla', workflow));
  if (claim === undefined) return { ignored: 'it is told already' };
  const link = services.consoleLink(execution);
  const report: Report = {
    kind: 'sla',
    title: `${workflow} is late`,
    fields: fields({
      Workflow: workflow,
      Session: String(vars.session_time ?? ''),
      'Was to end by': `${[payload.k.time, payload.k.duration].filter(Boolean).join('')} (${sla})`,
      Running: shortList(running),
      Attempt: name,
      'What follows': payload.k.fail === true ? 'It is stopped (sla: fail: true)' : undefined,
    }),
    links: link === undefined ? [] : [{ title: 'Execution', url: link }],
  };
  await deliver(report, claim, services.channels);
  return { told: report.title };
}
