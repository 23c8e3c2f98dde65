import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import {
  Effects,
  abi,
  cleanVolumes,
  entries,
  services,
  twoSparks,
  volume,
} from './package.mjs'
import { writeFile } from 'node:fs/promises'

beforeEach(() => cleanVolumes({ 'main/config.yaml': twoSparks }))

const daemonsOf = (all) =>
  [...all.values()].filter((entry) => entry.kind === 'daemon')
const mountsOf = (entry) => entry.subcontainer.mounts.build()

test('eight daemons, four steps before them, and the cluster apart', async () => {
  const all = await entries()
  assert.deepEqual(
    new Set(daemonsOf(all).map((entry) => entry.id)),
    new Set(['nats', 'redis', ...Object.keys(services)]),
  )
  const steps = [...all.values()].filter((entry) => entry.kind === 'oneshot')
  assert.deepEqual(
    steps.map((entry) => entry.id),
    ['init', 'chown', 'await-bus', 'await-services'],
  )
  assert.deepEqual(
    [...all.values()]
      .filter((entry) => entry.kind === 'health')
      .map((entry) => entry.id),
    ['sparks'],
  )
})

test('nothing that runs is stopped because something else flaps', async () => {
  const all = await entries()
  for (const entry of [
    ...daemonsOf(all),
    ...['await-bus', 'await-services'].map((id) => all.get(id)),
  ])
    for (const required of entry.requires)
      assert.equal(
        all.get(required).kind,
        'oneshot',
        `${entry.id} requires ${required}`,
      )
})

test('everything is prepared before anything runs', async () => {
  const all = await entries()
  const before = (id) => [
    ...new Set(all.get(id).requires.flatMap((one) => [one, ...before(one)])),
  ]
  for (const { id } of daemonsOf(all)) {
    assert.ok(before(id).includes('init'), id)
    assert.ok(before(id).includes('chown'), id)
  }
  assert.ok(before('gateway').includes('await-services'))
})

test('only preparing is done by root', async () => {
  const all = await entries()
  for (const entry of daemonsOf(all))
    assert.equal(
      entry.exec.user,
      ['nats', 'redis'].includes(entry.id) ? 'nobody' : 'spark',
    )
})

test('ports are unique, and only the gateway is open to the network', async () => {
  const all = await entries()
  const ports = Object.keys(services).map(
    (id) => all.get(id).exec.env.BIND_PORT,
  )
  assert.equal(
    new Set([...ports, '4222', '8222', '6379']).size,
    ports.length + 3,
  )
  const open = Object.keys(services).filter(
    (id) => all.get(id).exec.env.BIND_HOST !== '127.0.0.1',
  )
  assert.deepEqual(open, ['gateway'])
  assert.match(
    all.get('init').exec.command.join(' '),
    /nats-listen=127\.0\.0\.1:4222.*redis-listen=127\.0\.0\.1:6379/,
  )
})

test('no secret is in an environment or an argument', async () => {
  await cleanVolumes({
    'main/config.yaml': twoSparks,
    'startos/secrets/hf_token': 'hf_verysecret',
    'startos/secrets/ngc_api_key': 'nvapi-verysecret',
    'startos/secrets/webhook_secret': 'verysecret',
  })
  for (const entry of (await entries()).values()) {
    const { env = {}, command = [] } = entry.exec ?? {}
    assert.doesNotMatch(JSON.stringify([env, command]), /verysecret/)
    for (const name of Object.keys(env))
      assert.ok(
        !/TOKEN|SECRET|SEED|KEY|PASSWORD/.test(name) ||
          /_(FILE|PATH)$/.test(name),
        name,
      )
    assert.ok(!('PATH' in env))
  }
})

test('each secret is one read-only file, and lies where the variable says', async () => {
  const all = await entries()
  for (const id of Object.keys(services)) {
    const { env } = all.get(id).exec
    const files = mountsOf(all.get(id)).filter(
      (mount) => mount.options.volumeId === 'startos',
    )
    for (const { mountpoint, options } of files) {
      assert.equal(options.filetype, 'file')
      assert.equal(options.readonly, true)
      assert.equal(`/${options.subpath}`, mountpoint)
    }
    const named = Object.entries(env).filter(([name]) =>
      /_(FILE|KEY_PATH)$/.test(name),
    )
    assert.deepEqual(
      new Set(files.map((mount) => mount.mountpoint)),
      new Set(named.map(([, path]) => path)),
      id,
    )
  }
})

test('a key that one service needs is seen by no other', async () => {
  const all = await entries()
  const seers = (path) =>
    Object.keys(services).filter((id) =>
      mountsOf(all.get(id)).some((mount) => mount.mountpoint === path),
    )
  assert.deepEqual(seers('/secrets/ssh/id_ed25519'), ['swapper', 'health'])
  assert.deepEqual(seers('/secrets/hf_token'), ['swapper'])
  assert.deepEqual(seers('/secrets/ngc_api_key'), ['health'])
  assert.deepEqual(seers('/secrets/webhook_secret'), ['coordinator'])
  for (const id of Object.keys(services))
    assert.deepEqual(seers(`/secrets/nats/${id}.nk`), [id])
})

test('every service writes into a folder of its own', async () => {
  const all = await entries()
  const places = daemonsOf(all).flatMap((entry) =>
    mountsOf(entry)
      .filter((mount) => !mount.options.readonly)
      .map(({ options }) => `${options.volumeId}/${options.subpath ?? ''}`),
  )
  assert.equal(new Set(places).size, places.length)
  assert.ok(!places.includes('main/'))
  const prepared = mountsOf(all.get('init')).map(
    ({ options }) => `${options.volumeId}/${options.subpath ?? ''}`,
  )
  for (const place of places) assert.ok(prepared.includes(place), place)
  assert.deepEqual(all.get('chown').subcontainer, all.get('init').subcontainer)
  for (const { mountpoint } of mountsOf(all.get('init')))
    assert.ok(
      all.get('chown').exec.command.join(' ').includes(`${mountpoint} `),
      mountpoint,
    )
})

test('the Sparks go to those who ask them, and the proxy to the gateway', async () => {
  const effects = new Effects({
    hostnames: [
      host('192.0.2.5', 'ipv4'),
      host('box.local', 'mdns'),
      host('sparks.example', 'public-domain'),
      host('Sparks.home.example', 'private-domain'),
    ],
  })
  const all = await entries(effects)
  for (const [id, facts] of Object.entries(services))
    assert.equal(
      all.get(id).exec.env.SPARK2_HOST,
      facts.sparks ? '192.0.2.12' : undefined,
      id,
    )
  assert.equal(all.get('gateway').exec.env.TRUSTED_PROXIES, '192.0.2.1')
  assert.equal(
    all.get('gateway').exec.env.ALLOWED_HOSTS,
    'Sparks.home.example sparks.example',
  )
  assert.equal(all.get('swapper').exec.env.TRUSTED_PROXIES, undefined)
})

function host(hostname, kind) {
  return {
    ssl: true,
    public: kind === 'public-domain',
    hostname,
    port: 443,
    metadata: { kind, gateway: 'eth0', gateways: ['eth0'] },
  }
}

test('one Spark alone is fine', async () => {
  await writeFile(
    volume('main', 'config.yaml'),
    'SPARK1_HOST: 192.0.2.11\nSPARK1_USER: alice\n',
  )
  const { env } = (await entries()).get('swapper').exec
  assert.equal(env.SPARK1_HOST, '192.0.2.11')
  assert.ok(!('SPARK2_HOST' in env))
})

for (const [what, config] of [
  ['nothing', null],
  ['half', 'SPARK1_HOST: 192.0.2.11\n'],
  ['rubbish', 'SPARK1_HOST: a;reboot\nSPARK1_USER: alice\n'],
])
  test(`with ${what} configured the services wait and the check says what to press`, async () => {
    await cleanVolumes(config ? { 'main/config.yaml': config } : {})
    const all = await entries()
    assert.deepEqual(
      daemonsOf(all).map((entry) => entry.id),
      ['nats', 'redis'],
    )
    const answer = await all.get('sparks').ready.fn()
    assert.equal(answer.result, 'disabled')
    assert.match(answer.message, /Configure Sparks/)
  })

test('a row is asked often, and none flashes red while everything starts', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] })
  for (const { id, ready } of (await entries()).values()) {
    if (!ready) continue
    assert.ok(ready.gracePeriod >= 60_000, id)
    for (const [lastResult, milliseconds] of [
      ['success', 5_000],
      ['failure', 1_000],
    ]) {
      const looks = ready.trigger(() => ({ lastResult }))
      let asked = 0
      const count = () => asked++
      for (let look = 1; look <= 3; look++) {
        looks.next().then(count)
        await settled()
        context.mock.timers.tick(milliseconds)
        await settled()
        assert.equal(asked, look, `${id} after ${lastResult}`)
      }
    }
  }
})

const settled = () => new Promise((resolve) => setImmediate(resolve))

test('what is asked to end has as long as it needs, and no longer than half a minute', async () => {
  for (const { id, exec } of daemonsOf(await entries()))
    assert.ok(
      exec.sigtermTimeout >= 15_000 && exec.sigtermTimeout <= 30_000,
      id,
    )
})
