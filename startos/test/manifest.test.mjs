import assert from 'node:assert/strict'
import { readFile, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { abi, root } from './package.mjs'

const { manifest } = abi
const locales = ['de_DE', 'en_US', 'es_ES', 'fr_FR', 'pl_PL']

test('the manifest says what the package is made of', () => {
  assert.equal(manifest.id, 'spark-control')
  assert.match(manifest.version, /^\d+\.\d+\.\d+:\d+$/)
  assert.deepEqual(Object.keys(manifest.images), ['services', 'nats', 'valkey'])
  assert.deepEqual(manifest.volumes, ['main', 'startos', 'nats'])
  for (const image of Object.values(manifest.images))
    assert.deepEqual(image.arch, ['x86_64', 'aarch64'])
  assert.equal(manifest.osVersion, '0.4.0-beta.10')
  assert.equal(manifest.hardwareRequirements.ram, 2048)
  assert.ok(!('alerts' in manifest) && !('docsUrls' in manifest))
  assert.doesNotMatch(JSON.stringify(manifest), /example\.com/)
})

test('every release before may be updated', () => {
  assert.equal(manifest.canMigrateFrom, `<=${manifest.version}`)
})

test('the image of the services is the one of compose', async () => {
  const { workdir, dockerfile } = manifest.images.services.source.dockerBuild
  assert.equal(join(root, workdir), join(root, '..') + '')
  const text = await readFile(join(root, dockerfile), 'utf8')
  assert.match(text, /spark_|services/)
})

test('all five languages say everything, and not too much', () => {
  for (const text of [
    manifest.description.short,
    manifest.description.long,
    manifest.releaseNotes,
  ])
    assert.deepEqual(Object.keys(text).sort(), locales)
  for (const text of Object.values(manifest.description.short))
    assert.ok(text.length <= 80, text)
  for (const text of Object.values(manifest.description.long))
    assert.ok(text.length <= 500, text)
})

test('translations keep the holes of the sentences', async () => {
  const dictionaries = join(root, 'startos/i18n/dictionaries')
  const sentences = await readFile(join(dictionaries, 'default.ts'), 'utf8')
  const translated = await readFile(
    join(dictionaries, 'translations.ts'),
    'utf8',
  )
  const holes = (text) => (text.match(/\$\{\w+\}/g) ?? []).length
  assert.equal(holes(translated), 4 * holes(sentences))
  assert.ok(holes(sentences) > 0)
})

test('what pack wants is here once', async () => {
  const names = await readdir(root)
  assert.deepEqual(
    names.filter((name) => name.startsWith('icon.')),
    ['icon.svg'],
  )
  assert.ok((await stat(join(root, 'icon.svg'))).size <= 40 * 1024)
  assert.deepEqual(
    names.filter((name) => name.startsWith('LICENSE')),
    ['LICENSE'],
  )
  assert.ok(names.includes('instructions.md'))
  assert.ok((await readdir(join(root, 'assets'))).length > 0)
})

test('make finds the id as its own awk does', async () => {
  const text = await readFile(join(root, 'startos/manifest/index.ts'), 'utf8')
  const line = text.split('\n').find((one) => /id:/.test(one))
  assert.equal(line.split("'")[1], manifest.id)
})

test('a change of anything in the image packs it anew', async () => {
  const dockerfile = await readFile(join(root, '../deploy/Dockerfile'), 'utf8')
  const makefile = await readFile(join(root, 'Makefile'), 'utf8')
  const copied = [...dockerfile.matchAll(/^COPY (?!--from)(\S+)/gm)]
  const watched = makefile.match(/^SOURCES := .*/m)[0].split(' ')
  assert.ok(copied.length > 3)
  for (const [, path] of copied)
    assert.ok(watched.includes(`../${path.replace('./', '')}`), path)
})
