// The bundle as StartOS loads it, clean volumes, and an `effects` that records what is asked of it.
import { createRequire } from 'node:module'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

export const root = new URL('..', import.meta.url).pathname
export const abi = createRequire(import.meta.url)('../javascript/index.js')
export const services = JSON.parse(
  await readFile(join(root, 'startos/definition.json'), 'utf8'),
)

export const volume = (id, path = '') =>
  join('/media/startos/volumes', id, path)

export async function cleanVolumes(files = {}) {
  await rm('/media/startos', { recursive: true, force: true })
  for (const id of abi.manifest.volumes)
    await mkdir(volume(id), { recursive: true })
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(volume('', path)), { recursive: true })
    await writeFile(volume('', path), text)
  }
}

export const twoSparks =
  'SPARK1_HOST: 192.0.2.11\nSPARK1_USER: alice\nSPARK2_HOST: 192.0.2.12\nSPARK2_USER: alice\n'

const none = async () => null

export class Effects {
  constructor({ dataVersion = null, hostnames = [] } = {}) {
    this.eventId = 'event'
    this.isInContext = true
    this.dataVersion = dataVersion
    this.hostnames = hostnames
    this.asked = {
      bind: [],
      interfaces: [],
      actions: [],
      tasks: [],
      health: [],
    }
    const asked = this.asked
    this.action = {
      export: async (given) => void asked.actions.push(given),
      clear: none,
      createTask: async (given) => void asked.tasks.push(given),
      clearTasks: none,
    }
    this.subcontainer = { createFs: none, destroyFs: none }
  }
  child() {
    return this
  }
  onLeaveContext() {}
  clearCallbacks = none
  clearBindings = none
  clearServiceInterfaces = none
  setDependencies = none
  setInitProgress = none
  setBackupProgress = none
  setMainStatus = none
  getOsIp = async () => '192.0.2.1'
  getStatus = none
  getDataVersion = async () => this.dataVersion
  setDataVersion = async ({ version }) => void (this.dataVersion = version)
  bind = async (given) => void this.asked.bind.push(given)
  exportServiceInterface = async (given) =>
    void this.asked.interfaces.push(given)
  setHealth = async (given) => void this.asked.health.push(given)
  getHostInfo = async ({ hostId }) => ({
    bindings: {
      9999: {
        enabled: true,
        options: {},
        net: {},
        addresses: {
          enabled: [],
          disabled: [],
          guaWan: [],
          available: this.hostnames,
        },
        interfaces: {
          ui: {
            id: 'ui',
            type: 'ui',
            masked: false,
            addressInfo: {
              hostId,
              internalPort: 9999,
              scheme: 'http',
              sslScheme: 'https',
              username: null,
              suffix: '',
            },
          },
        },
      },
    },
    bindingRanges: {},
    publicDomains: {},
    privateDomains: {},
    portForwards: [],
  })
}

export async function entries(effects = new Effects()) {
  const daemons = await abi.main({ effects })
  return new Map(daemons.entries.map((entry) => [entry.id, entry]))
}

/** Run an action as the service page does: its form first, then its values. */
export async function act(id, input, effects = new Effects()) {
  const action = abi.actions.get(id)
  const form = await action.getInput({ effects, prefill: null })
  return { form, result: await action.run({ effects, input }) }
}
