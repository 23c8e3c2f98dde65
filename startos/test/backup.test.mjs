import assert from 'node:assert/strict'
import { stat, readFile, writeFile } from 'node:fs/promises'
import { before, beforeEach, test } from 'node:test'
import { Effects, abi, cleanVolumes, twoSparks, volume } from './package.mjs'

const state = {
  'main/config.yaml': twoSparks,
  'main/coordinator/accounts.db': 'accounts',
  'main/redaction/redaction.db': 'map',
  'main/redis/appendonlydir/1.aof': 'leases, schedules',
  'nats/jetstream/1.blk': 'events',
  'startos/secrets/redaction/redaction.key': 'k',
  'startos/secrets/ssh/id_ed25519': 'private',
}

before(() => {
  const programs = new URL('programs', import.meta.url).pathname
  process.env.PATH = `${programs}:${process.env.PATH}`
})
beforeEach(() => cleanVolumes(state))

const backedUp = async () => {
  const effects = new Effects({ dataVersion: abi.manifest.version })
  await abi.createBackup({ effects })
}

test('a backup has every volume', async () => {
  await backedUp()
  for (const [path, text] of Object.entries(state))
    assert.equal(
      await readFile(`/media/startos/backup/volumes/${path}`, 'utf8'),
      text,
    )
  assert.deepEqual(
    new Set(Object.keys(state).map((path) => path.split('/')[0])),
    new Set(abi.manifest.volumes),
  )
})

test('a restore on a new box brings all of it, and asks for nothing', async () => {
  await backedUp()
  for (const path of Object.keys(state))
    await writeFile(volume('', path), 'of the new box')
  await writeFile(volume('main', 'swapper.of.the.new.box'), '')
  const effects = new Effects()
  await abi.init({ effects, kind: 'restore' })
  for (const [path, text] of Object.entries(state))
    assert.equal(await readFile(volume('', path), 'utf8'), text)
  await assert.rejects(stat(volume('main', 'swapper.of.the.new.box')))
  assert.equal(effects.dataVersion, abi.manifest.version)
  assert.deepEqual(effects.asked.tasks, [])
})

test('a restore without Sparks asks for them', async () => {
  await cleanVolumes()
  await backedUp()
  const effects = new Effects()
  await abi.init({ effects, kind: 'restore' })
  assert.deepEqual(
    effects.asked.tasks.map(({ actionId }) => actionId),
    ['configure-sparks'],
  )
})
