import { connect } from 'node:net'
import { i18n } from './i18n'

const patienceMs = 4_000

export type Answer = {
  result: 'success' | 'loading' | 'failure' | 'disabled'
  message: string
}

/** One look at `/readyz` of a service: silence is a failure, "not yet" is not. */
export async function serviceAnswers(
  name: string,
  port: number,
): Promise<Answer> {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`, {
      signal: AbortSignal.timeout(patienceMs),
    })
    if (answer.ok)
      return { result: 'success', message: i18n('${name} answers', { name }) }
    const { reasons } = (await answer.json()) as { reasons?: string[] }
    return {
      result: 'loading',
      message: i18n('${name} is not ready yet: ${reasons}', {
        name,
        reasons: (reasons ?? []).join('; ') || `HTTP ${answer.status}`,
      }),
    }
  } catch {
    return {
      result: 'failure',
      message: i18n('${name} does not answer', { name }),
    }
  }
}

export async function natsAnswers(name: string): Promise<Answer> {
  try {
    const answer = await fetch(
      'http://127.0.0.1:8222/healthz?js-enabled-only=true',
      {
        signal: AbortSignal.timeout(patienceMs),
      },
    )
    if (answer.ok)
      return { result: 'success', message: i18n('${name} answers', { name }) }
  } catch {
    // Said below.
  }
  return {
    result: 'failure',
    message: i18n('${name} does not answer', { name }),
  }
}

/** Its one user has a password that stays with the services: being asked for it is an answer. */
export async function redisAnswers(name: string, port = 6379): Promise<Answer> {
  const reply = await new Promise<string>((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, timeout: patienceMs })
    const end = (text: string) => {
      socket.destroy()
      resolve(text)
    }
    socket.once('connect', () => socket.write('PING\r\n'))
    socket.once('data', (data) => end(data.toString('latin1')))
    socket.once('timeout', () => end(''))
    socket.once('close', () => end(''))
    socket.once('error', () => end(''))
  })
  return /^(\+PONG|-NOAUTH)/.test(reply)
    ? { result: 'success', message: i18n('${name} answers', { name }) }
    : { result: 'failure', message: i18n('${name} does not answer', { name }) }
}
