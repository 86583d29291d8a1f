import type { Diagnostic, Span } from '../../language/diagnostic.ts';
import type { Module } from './modules.ts';

/** A file of the project that has the name of a module which Python finds first. */
export function hiddenModule(module: Module, span: Span): Diagnostic {
  const whose = module.where === 'standard' ? "Python's own module" : 'the installed package';
  const { hides = '' } = module;
  const renamed = hides.endsWith('/') || hides.endsWith('/__init__.py') ? `my_${module.name}/` : `my_${module.name}.py`;
  return {
    code: 'python-hidden',
    severity: 'warning',
    span,
    message: `${hides} of this project is never loaded: ${whose} '${module.name}' is found first`,
    notes: [`Rename it, for example to ${renamed}.`],
  };
}
