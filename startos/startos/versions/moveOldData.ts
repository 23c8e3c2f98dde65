import {
  chmod,
  copyFile,
  mkdir,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { parse, stringify } from 'yaml'

// The single process before 1.0 kept everything in the root of its one volume. Every move is safe
// to be done again after a power cut: what is already in its place stays, and nothing is deleted
// that was not copied whole.

/** From the root of `main` into the folder of the service that reads it now. */
const moved: [from: string, to: string][] = [
  ['models.override.yaml', 'swapper/models.override.yaml'],
  ['models.override.yml', 'swapper/models.override.yaml'],
  ['models_override.yaml', 'swapper/models.override.yaml'],
  ['app_settings.json', 'coordinator/app_settings.json'],
  ['services.yaml', 'health/services.yaml'],
  ['nim-services.yaml', 'health/nim-services.yaml'],
  ['nim-catalog.yaml', 'health/nim-catalog.yaml'],
]

/** Both services that log in keep a file of their own of the hosts they know. */
const knownHosts = ['known_hosts', 'ssh/known_hosts', '.ssh/known_hosts']

/** Out of `main`, into the secrets; the public half is made anew when it is missing. */
const keys: [from: string, to: string][] = [
  ['ssh/id_ed25519', 'secrets/ssh/id_ed25519'],
  ['.ssh/id_ed25519', 'secrets/ssh/id_ed25519'],
  ['id_ed25519', 'secrets/ssh/id_ed25519'],
  ['ssh/id_ed25519.pub', 'secrets/ssh/id_ed25519.pub'],
  ['.ssh/id_ed25519.pub', 'secrets/ssh/id_ed25519.pub'],
  ['id_ed25519.pub', 'secrets/ssh/id_ed25519.pub'],
  ['redaction.key', 'secrets/redaction/redaction.key'],
]

const fields = [
  'SPARK1_HOST',
  'SPARK1_USER',
  'SPARK2_HOST',
  'SPARK2_USER',
] as const

/** Names that mean the same in an old config.yaml, once letters and digits alone are left. */
const synonyms: Record<(typeof fields)[number], string[]> = {
  SPARK1_HOST: ['spark1host', 'spark1ip', 'spark1address', 'spark1'],
  SPARK1_USER: ['spark1user', 'spark1sshuser', 'spark1username'],
  SPARK2_HOST: ['spark2host', 'spark2ip', 'spark2address', 'spark2'],
  SPARK2_USER: ['spark2user', 'spark2sshuser', 'spark2username'],
}

export async function moveOldData(
  main: string,
  startos: string,
): Promise<void> {
  await renameConfig(join(main, 'config.yaml'))
  for (const [from, to] of keys)
    await move(join(main, from), join(startos, to), 0o600)
  for (const [from, to] of moved) await move(join(main, from), join(main, to))
  for (const name of knownHosts) {
    await copy(join(main, name), join(main, 'swapper/known_hosts'))
    await copy(join(main, name), join(main, 'health/known_hosts'))
  }
  await moveMap(main, startos)
}

/** Add our names beside the old ones, which stay; a file that is no mapping is put aside. */
async function renameConfig(path: string): Promise<void> {
  if (!(await exists(path))) return
  const old = await mapping(path)
  if (old === null) return rename(path, `${path}.unreadable`)
  const found = Object.fromEntries(flat(old))
  const added: Record<string, string> = {}
  for (const name of fields) {
    if (typeof old[name] === 'string') continue
    const key = synonyms[name].find((one) => found[one])
    if (key) added[name] = found[key]
  }
  if (Object.keys(added).length > 0)
    await writeWhole(path, stringify({ ...old, ...added }))
}

async function mapping(path: string): Promise<Record<string, unknown> | null> {
  try {
    const read: unknown = parse(await readFile(path, 'utf8')) ?? {}
    return typeof read === 'object' && !Array.isArray(read)
      ? (read as Record<string, unknown>)
      : null
  } catch {
    return null
  }
}

/** `{spark1: {host: ...}}`, `spark1_host` and `SPARK1_HOST` alike, as names without separators. */
function flat(value: Record<string, unknown>, above = ''): [string, string][] {
  return Object.entries(value).flatMap(([name, inner]): [string, string][] => {
    const key = above + name.toLowerCase().replace(/[^a-z0-9]/g, '')
    if (inner && typeof inner === 'object' && !Array.isArray(inner))
      return flat(inner as Record<string, unknown>, key)
    return typeof inner === 'string' && inner.trim()
      ? [[key, inner.trim()]]
      : []
  })
}

/** The map opens with its own key only; without it the file is kept, and a new map is begun. */
async function moveMap(main: string, startos: string): Promise<void> {
  const opens = await exists(join(startos, 'secrets/redaction/redaction.key'))
  const name = opens ? 'redaction.db' : 'redaction-before-1.0.db'
  for (const end of ['', '-wal', '-shm'])
    await move(
      join(main, `redaction.db${end}`),
      join(main, `redaction/${name}${end}`),
    )
}

async function move(from: string, to: string, mode?: number): Promise<void> {
  if (!(await isFile(from)) || (await exists(to))) return
  await copy(from, to, mode)
  await rm(from)
}

async function copy(from: string, to: string, mode?: number): Promise<void> {
  if (!(await isFile(from)) || (await exists(to))) return
  await mkdir(dirname(to), { recursive: true })
  const draft = `${to}.draft`
  await copyFile(from, draft)
  if (mode !== undefined) await chmod(draft, mode)
  await rename(draft, to)
}

async function writeWhole(path: string, text: string): Promise<void> {
  await writeFile(`${path}.draft`, text)
  await rename(`${path}.draft`, path)
}

const isFile = (path: string) =>
  stat(path).then(
    (found) => found.isFile(),
    () => false,
  )
const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  )
