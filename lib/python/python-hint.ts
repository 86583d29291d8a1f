/** Commands called python that are none: launchers of version managers, which say on standard error why they start nothing. */
export interface PythonHint {
  readonly reason: string;
  readonly way: string;
}

/** Undefined: nothing is known of this output. */
export function pythonHint(output: string): PythonHint | undefined {
  for (const { pattern, hint } of LAUNCHERS) {
    const match = pattern.exec(output);
    if (match !== null) return hint(match.slice(1).map((part) => part?.trim() ?? ''));
  }
  return undefined;
}

const LAUNCHERS: readonly { readonly pattern: RegExp; readonly hint: (parts: readonly string[]) => PythonHint }[] = [
  {
    pattern: /pyenv: (\S+): command not found(?:[\s\S]*exists in these Python versions:\n((?: +\S+\n?)+))?/,
    hint: ([command = '', versions = '']) => {
      const newest = versions.split(/\s+/).at(-1) ?? '';
      const number = /[\d.]+$/.exec(command)?.[0] ?? '3';
      return newest === ''
        ? { reason: `pyenv has no ${command}`, way: `Run \`pyenv install ${number}\`.` }
        : {
            reason: `it is pyenv's, which has version ${newest} but does not use it here`,
            way: `Run \`pyenv local ${newest}\` in the project's folder.`,
          };
    },
  },
  {
    pattern: /pyenv: version [`'"]?([^`'"\s]+)['"`]? is not installed(?: \(set by ([^)]+)\))?/,
    hint: ([version = '', file = '']) => ({
      reason: `pyenv has no version ${version}${file === '' ? '' : `, which ${file} asks for`}`,
      way: `Run \`pyenv install ${version}\`${file === '' ? '' : ', or name another version there (`pyenv versions` lists them)'}.`,
    }),
  },
  {
    pattern: /No (?:preset )?version (?:is set|installed) for command (\S+)/,
    hint: ([command = '']) => ({
      reason: `it is asdf's, which has no version set for ${command} here`,
      way: "Name an installed version in .tool-versions of the project's folder (`asdf list python`).",
    }),
  },
  {
    pattern: /xcode-select: (?:note|error): no developer tools were found/i,
    hint: () => ({ reason: 'it is a placeholder of macOS', way: 'Run `xcode-select --install`, or install Python.' }),
  },
];
