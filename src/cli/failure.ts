/**
 * How a command ends when it does not succeed: with a message for people on stderr, and an exit
 * code for scripts. The codes are part of what `tidegate --help` promises.
 */
export const exitCodes = {
  failed: 1,
  usage: 2,
  unreachable: 3,
  /** As a shell reports a program that Ctrl-C has ended. */
  interrupted: 130,
  /** As a shell reports a program whose reader went away. */
  brokenPipe: 141,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

export type FailureOptions = {
  exitCode?: ExitCode;
  hint?: string | undefined;
  slug?: string;
  cause?: unknown;
};

/** `hint` says what to do about it, in lines of its own. */
export class Failure extends Error {
  override readonly name = "Failure";
  readonly exitCode: ExitCode;
  readonly hint: string | undefined;
  /** Of the gateway's problem, where it is one. */
  readonly slug: string | undefined;

  constructor(message: string, options: FailureOptions = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.exitCode = options.exitCode ?? exitCodes.failed;
    this.hint = options.hint;
    this.slug = options.slug;
  }
}

export function usageFailure(message: string, hint?: string): Failure {
  return new Failure(message, { exitCode: exitCodes.usage, hint });
}
