import { i18n } from './i18n'
import type { Answer } from './probes'
import { uiPort } from './utils'

type Target = { kind: string; label: string; level: string; reason?: string }
type Status = { watched: boolean; targets: Target[] }

/** How the Sparks are. Nothing is restarted over it: no daemon requires this check. */
export async function sparksAnswer(port: number = uiPort): Promise<Answer> {
  let status: Status
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/api/status`, {
      signal: AbortSignal.timeout(8_000),
    })
    status = (await answer.json()) as Status
  } catch {
    return {
      result: 'loading',
      message: i18n('Nobody watches the Sparks at the moment'),
    }
  }
  const sparks = (status.targets ?? []).filter(
    (target) => target.kind === 'host',
  )
  const unknown = sparks.some((spark) => spark.level === 'unknown')
  const away = sparks.filter(
    (spark) => spark.level === 'down' || spark.level === 'degraded',
  )
  if (away.length > 0)
    return {
      result: 'failure',
      message: away
        .map((spark) =>
          spark.reason ? `${spark.label}: ${spark.reason}` : spark.label,
        )
        .join('; '),
    }
  if (!status.watched || sparks.length === 0 || unknown)
    return {
      result: 'loading',
      message: i18n('Nobody watches the Sparks at the moment'),
    }
  return { result: 'success', message: i18n('Every Spark answers') }
}
