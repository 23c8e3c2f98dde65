import type { Config } from './fileModels/config.yaml'

// The rules of the services' settings; test/fields.json holds both sides to them.
const label = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/
const user = /^[A-Za-z_][A-Za-z0-9_.-]{0,31}$/
const ipv6 = /^[0-9A-Fa-f:]*(?:\d{1,3}(?:\.\d{1,3}){3})?$/

/** What the form shows before anything is sent; `problem` is what decides. */
export const addressPattern = '^[A-Za-z0-9.:-]{1,253}$'
export const userPattern = '^[A-Za-z_][A-Za-z0-9_.-]{0,31}$'

export function isAddress(text: string): boolean {
  if (text.includes(':')) return isIpv6(text)
  const labels = text.replace(/\.$/, '').split('.')
  const last = labels[labels.length - 1]
  if (/^\d+$/.test(last)) return isIpv4(text)
  if (last.toLowerCase() === 'local') return false
  return text.length <= 253 && labels.every((one) => label.test(one))
}

export function isUser(text: string): boolean {
  return user.test(text)
}

function isIpv4(text: string): boolean {
  const parts = text.split('.')
  return (
    parts.length === 4 &&
    parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256)
  )
}

function isIpv6(text: string): boolean {
  if (!ipv6.test(text)) return false
  try {
    new URL(`http://[${text}]/`)
    return true
  } catch {
    return false
  }
}

/** What is wrong with the four fields, as one sentence; null when nothing is. */
export function problem(config: Config): string | null {
  for (const [name, host, login] of [
    ['Spark 1', config.SPARK1_HOST, config.SPARK1_USER],
    ['Spark 2', config.SPARK2_HOST, config.SPARK2_USER],
  ] as const) {
    if (!host && !login && name === 'Spark 2') continue
    if (!host || !isAddress(host))
      return `The address of ${name} must be an IP address or a host name that is not .local, without user, port or path`
    if (!login || !isUser(login))
      return `The SSH user of ${name} must be a login name: letters, digits, dot, dash, underscore`
  }
  return null
}

/** The variables of the Sparks for a service; null until they are configured. */
export function sparkVariables(
  config: Config | null,
): Record<string, string> | null {
  if (!config || problem(config)) return null
  const found: Record<string, string> = {}
  for (const name of [
    'SPARK1_HOST',
    'SPARK1_USER',
    'SPARK2_HOST',
    'SPARK2_USER',
  ] as const) {
    const value = config[name]
    if (value) found[name] = value
  }
  return found
}
