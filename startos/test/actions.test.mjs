import assert from 'node:assert/strict'
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { beforeEach, test } from 'node:test'
import { act, cleanVolumes, entries, twoSparks, volume } from './package.mjs'

beforeEach(() => cleanVolumes())

const four = {
  SPARK1_HOST: '192.0.2.11',
  SPARK1_USER: 'alice',
  SPARK2_HOST: 'spark-2.lan',
  SPARK2_USER: 'bob',
}
const cases = JSON.parse(
  await readFile(new URL('fields.json', import.meta.url), 'utf8'),
)

test('the four fields are kept, shown again, and reach the services', async () => {
  const { form } = await act('configure-sparks', four)
  assert.deepEqual(Object.keys(form.spec), Object.keys(four))
  const again = await act('configure-sparks', four)
  assert.deepEqual(again.form.value, four)
  assert.equal((await entries()).get('health').exec.env.SPARK2_USER, 'bob')
})

test('blanks around are taken off, and a Spark can be taken away', async () => {
  await act('configure-sparks', { ...four, SPARK1_HOST: ' 192.0.2.11 ' })
  await act('configure-sparks', {
    ...four,
    SPARK2_HOST: null,
    SPARK2_USER: null,
  })
  const { env } = (await entries()).get('swapper').exec
  assert.equal(env.SPARK1_HOST, '192.0.2.11')
  assert.ok(!('SPARK2_HOST' in env) && !('SPARK2_USER' in env))
})

test('what else stands in the file stays', async () => {
  await writeFile(
    volume('main', 'config.yaml'),
    `${twoSparks}SOMETHING_OLD: kept\n`,
  )
  await act('configure-sparks', four)
  assert.match(
    await readFile(volume('main', 'config.yaml'), 'utf8'),
    /SOMETHING_OLD: kept/,
  )
})

for (const address of cases.addresses.refused)
  test(`an address like ${JSON.stringify(address)} is refused and nothing is written`, async () => {
    for (const name of ['SPARK1_HOST', 'SPARK2_HOST'])
      await assert.rejects(
        act('configure-sparks', { ...four, [name]: address }),
        /address of Spark/,
      )
    await assert.rejects(stat(volume('main', 'config.yaml')))
  })

for (const login of cases.users.refused)
  test(`a user like ${JSON.stringify(login)} is refused`, async () => {
    for (const name of ['SPARK1_USER', 'SPARK2_USER'])
      await assert.rejects(
        act('configure-sparks', { ...four, [name]: login }),
        /SSH user of Spark/,
      )
  })

for (const address of cases.addresses.accepted)
  test(`an address like ${address} is taken`, async () => {
    await act('configure-sparks', { ...four, SPARK1_HOST: address })
    assert.equal((await entries()).get('swapper').exec.env.SPARK1_HOST, address)
  })

for (const login of cases.users.accepted)
  test(`a user like ${login} is taken`, () =>
    act('configure-sparks', { ...four, SPARK1_USER: login }))

test('the second Spark has both fields or none', async () => {
  await assert.rejects(
    act('configure-sparks', { ...four, SPARK2_USER: null }),
    /SSH user of Spark 2/,
  )
  await assert.rejects(
    act('configure-sparks', { ...four, SPARK2_HOST: '' }),
    /address of Spark 2/,
  )
})

test('the public key is told once there is one; the private one never', async () => {
  const early = (await act('show-public-key', {})).result
  assert.equal(early.result, null)
  assert.match(early.message, /first start/)
  await mkdir(volume('startos', 'secrets/ssh'), { recursive: true })
  await writeFile(volume('startos', 'secrets/ssh/id_ed25519'), 'PRIVATE')
  await writeFile(
    volume('startos', 'secrets/ssh/id_ed25519.pub'),
    'ssh-ed25519 AAAA spark-control\n',
  )
  const late = (await act('show-public-key', {})).result
  assert.equal(late.result.value, 'ssh-ed25519 AAAA spark-control')
  assert.equal(late.result.copyable, true)
  assert.match(late.message, /authorized_keys/)
  assert.doesNotMatch(JSON.stringify(late), /PRIVATE/)
})

test('secrets are written for nobody else, never shown, and kept when left empty', async () => {
  const { form } = await act('set-secrets', {
    hf_token: ' hf_secret ',
    ngc_api_key: null,
    webhook_secret: '',
  })
  for (const field of Object.values(form.spec)) assert.equal(field.masked, true)
  const path = volume('startos', 'secrets/hf_token')
  assert.equal(await readFile(path, 'utf8'), 'hf_secret')
  assert.equal((await stat(path)).mode & 0o777, 0o600)
  await assert.rejects(stat(volume('startos', 'secrets/ngc_api_key')))
  const again = await act('set-secrets', {
    hf_token: null,
    ngc_api_key: 'nvapi-1',
    webhook_secret: null,
  })
  assert.doesNotMatch(JSON.stringify(again), /hf_secret|nvapi-1/)
  assert.equal(await readFile(path, 'utf8'), 'hf_secret')
  const inode = (await stat(path)).ino
  await act('set-secrets', {
    hf_token: 'hf_other',
    ngc_api_key: null,
    webhook_secret: null,
  })
  assert.equal((await stat(path)).ino, inode)
})

test('a secret with blanks or control characters is refused, and none of the others is written', async () => {
  for (const bad of ['two words', 'line\nbreak', 'é', '\u0000'])
    await assert.rejects(
      act('set-secrets', {
        hf_token: 'hf_good',
        ngc_api_key: bad,
        webhook_secret: null,
      }),
    )
  await assert.rejects(stat(volume('startos', 'secrets/hf_token')))
})
