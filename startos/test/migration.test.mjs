import assert from 'node:assert/strict'
import { cp, readFile, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, test } from 'node:test'
import { Effects, abi, cleanVolumes, entries, volume } from './package.mjs'

const fixture = new URL('old-volume', import.meta.url).pathname

beforeEach(async () => {
  await cleanVolumes()
  await cp(fixture, volume('main'), { recursive: true })
})

const update = async (from = '0.27.0:0') => {
  const effects = new Effects({ dataVersion: from })
  await abi.init({ effects, kind: 'update' })
  return effects
}
const read = (id, path) => readFile(volume(id, path), 'utf8')
const before = (path) => readFile(join(fixture, path), 'utf8')

test('an update from the single process moves everything to who reads it now', async () => {
  const effects = await update()
  assert.equal(effects.dataVersion, abi.manifest.version)
  assert.deepEqual(effects.asked.tasks, [])
  assert.equal(
    await read('main', 'swapper/models.override.yaml'),
    await before('models.override.yaml'),
  )
  assert.equal(
    await read('main', 'coordinator/app_settings.json'),
    await before('app_settings.json'),
  )
  assert.equal(
    await read('main', 'swapper/known_hosts'),
    await before('ssh/known_hosts'),
  )
  assert.equal(
    await read('main', 'health/known_hosts'),
    await before('ssh/known_hosts'),
  )
  assert.equal(
    await read('startos', 'secrets/ssh/id_ed25519'),
    await before('ssh/id_ed25519'),
  )
  assert.equal(
    (await stat(volume('startos', 'secrets/ssh/id_ed25519'))).mode & 0o777,
    0o600,
  )
  assert.ok(!(await readdir(volume('main', 'ssh'))).includes('id_ed25519'))
})

test('the Sparks of the old configuration are those of the new one, and its other keys stay', async () => {
  await update()
  const { env } = (await entries()).get('swapper').exec
  assert.deepEqual(
    [env.SPARK1_HOST, env.SPARK1_USER, env.SPARK2_HOST, env.SPARK2_USER],
    ['192.0.2.11', 'alice', '192.0.2.12', 'bob'],
  )
  assert.match(await read('main', 'config.yaml'), /vllm_port: 8888/)
})

test('a map without its key is kept beside a new one', async () => {
  await update()
  assert.equal(
    await read('main', 'redaction/redaction-before-1.0.db'),
    await before('redaction.db'),
  )
  await assert.rejects(stat(volume('main', 'redaction/redaction.db')))
})

test('a map with its key goes on, with what was not yet written into it', async () => {
  await cleanVolumes({
    'main/redaction.key': 'k'.repeat(32),
    'main/redaction.db': 'map',
    'main/redaction.db-wal': 'rest',
  })
  await update()
  assert.equal(
    await read('startos', 'secrets/redaction/redaction.key'),
    'k'.repeat(32),
  )
  assert.equal(await read('main', 'redaction/redaction.db'), 'map')
  assert.equal(await read('main', 'redaction/redaction.db-wal'), 'rest')
})

test('an update that broke off is taken up again and overwrites nothing', async () => {
  await update()
  const key = await read('startos', 'secrets/ssh/id_ed25519')
  await cp(fixture, volume('main'), { recursive: true })
  await update()
  assert.equal(await read('startos', 'secrets/ssh/id_ed25519'), key)
  assert.equal(
    await read('main', 'swapper/models.override.yaml'),
    await before('models.override.yaml'),
  )
})

for (const [what, config, expected] of [
  [
    'nested',
    'spark1: {host: 192.0.2.1, user: alice}\nspark2: {ip: 192.0.2.2, ssh_user: bob}\n',
    ['192.0.2.1', 'bob'],
  ],
  [
    'in camels',
    'spark1Ip: 192.0.2.1\nspark1User: alice\nspark2Ip: 192.0.2.2\nspark2User: bob\n',
    ['192.0.2.1', 'bob'],
  ],
  [
    'by today’s names',
    'SPARK1_HOST: 192.0.2.1\nSPARK1_USER: alice\nSPARK2_HOST: 192.0.2.2\nSPARK2_USER: bob\n',
    ['192.0.2.1', 'bob'],
  ],
])
  test(`an old configuration ${what} is understood`, async () => {
    await cleanVolumes({ 'main/config.yaml': config })
    const { asked } = await update()
    assert.deepEqual(asked.tasks, [])
    const { env } = (await entries()).get('swapper').exec
    assert.deepEqual([env.SPARK1_HOST, env.SPARK2_USER], expected)
  })

for (const config of ['[1, 2]\n', '{ not yaml', 'text', ''])
  test(`an old configuration that is ${JSON.stringify(config)} asks for the Sparks`, async () => {
    await cleanVolumes({ 'main/config.yaml': config })
    const { asked } = await update()
    assert.deepEqual(
      asked.tasks.map(({ actionId }) => actionId),
      ['configure-sparks'],
    )
    if (config)
      assert.equal(await read('main', 'config.yaml.unreadable'), config)
  })
