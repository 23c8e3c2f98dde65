import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { Effects, abi, cleanVolumes, twoSparks } from './package.mjs'

beforeEach(() => cleanVolumes())

const init = async (kind, options) => {
  const effects = new Effects(options)
  await abi.init({ effects, kind })
  return effects
}

test('a fresh install: one port, two interfaces, three actions, one thing to do', async () => {
  const { asked, dataVersion } = await init('install')
  assert.deepEqual(
    asked.bind.map(({ id, internalPort }) => [id, internalPort]),
    [['main', 9999]],
  )
  assert.equal(asked.bind[0].addSsl.addXForwardedHeaders, true)
  assert.deepEqual(
    asked.interfaces.map(({ id, type, masked, addressInfo }) => [
      id,
      type,
      masked,
      addressInfo.suffix,
    ]),
    [
      ['ui', 'ui', false, ''],
      ['api', 'api', false, '/v1'],
    ],
  )
  assert.deepEqual(
    asked.actions.map(({ id }) => id),
    ['configure-sparks', 'show-public-key', 'set-secrets'],
  )
  assert.deepEqual(
    asked.tasks.map(({ actionId, severity }) => [actionId, severity]),
    [['configure-sparks', 'critical']],
  )
  assert.equal(dataVersion, abi.manifest.version)
})

test('every action says what it does and when something restarts', async () => {
  const { asked } = await init('install')
  for (const { id, metadata } of asked.actions) {
    assert.ok(metadata.name && metadata.description, id)
    assert.equal(metadata.warning === null, id === 'show-public-key')
    assert.equal(metadata.allowedStatuses, 'any')
  }
})

test('a start of the server asks for nothing', async () => {
  const { asked } = await init(null, { dataVersion: abi.manifest.version })
  assert.deepEqual(asked.tasks, [])
})

test('an update with Sparks asks for nothing', async () => {
  await cleanVolumes({ 'main/config.yaml': twoSparks })
  const { asked } = await init('update', { dataVersion: abi.manifest.version })
  assert.deepEqual(asked.tasks, [])
})
