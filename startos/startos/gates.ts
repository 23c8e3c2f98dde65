const stepMs = 500

/**
 * Wait until everything asked answers, but not for ever: what is slow must not keep the rest down.
 *
 * The order of a start is kept by these and not by `requires` between daemons, which would stop
 * all of them whenever one flaps.
 */
export async function gate(
  asked: (() => Promise<{ result: string }>)[],
  longestMs: number,
  abort: AbortSignal,
): Promise<null> {
  const end = Date.now() + longestMs
  while (!abort.aborted && Date.now() < end) {
    const answers = await Promise.all(asked.map((ask) => ask()))
    if (answers.every((answer) => answer.result === 'success')) break
    await new Promise((resolve) => setTimeout(resolve, stepMs))
  }
  return null
}
