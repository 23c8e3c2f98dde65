import assert from 'node:assert/strict'
import { createServer as createTcp } from 'node:net'
import { createServer } from 'node:http'
import { once } from 'node:events'
import { before, test } from 'node:test'
import { cleanVolumes, entries, services, twoSparks } from './package.mjs'

let all
before(async () => {
  await cleanVolumes({ 'main/config.yaml': twoSparks })
  all = await entries()
})

const look = (id) => all.get(id).ready.fn()

async function serving(port, answer, ask) {
  const server = createServer((request, response) => {
    const [status, body] = answer(request.url)
    response
      .writeHead(status, { 'content-type': 'application/json' })
      .end(JSON.stringify(body))
  })
  await once(server.listen(port, '127.0.0.1'), 'listening')
  try {
    return await ask()
  } finally {
    server.closeAllConnections()
    await once(server.close(), 'close')
  }
}

for (const id of Object.keys(services)) {
  const port = Number(services[id].environment.BIND_PORT)
  test(`${id}: well, not ready with the reason, and silent are told apart`, async () => {
    const answer = (status, body) =>
      serving(
        port,
        (url) => (url === '/readyz' ? [status, body] : [404, {}]),
        () => look(id),
      )
    assert.equal((await answer(200, { ready: true })).result, 'success')
    const waiting = await answer(503, {
      ready: false,
      reasons: ['redis: no answer'],
    })
    assert.equal(waiting.result, 'loading')
    assert.match(waiting.message, /redis: no answer/)
    const broken = await answer(500, {})
    assert.notEqual(broken.result, 'success')
    const silent = await look(id)
    assert.equal(silent.result, 'failure')
    assert.ok(silent.message)
  })
}

test('nats is asked whether JetStream runs', async () => {
  const answer = (status) =>
    serving(
      8222,
      (url) =>
        url === '/healthz?js-enabled-only=true' ? [status, {}] : [404, {}],
      () => look('nats'),
    )
  assert.equal((await answer(200)).result, 'success')
  assert.equal((await answer(503)).result, 'failure')
  assert.equal((await look('nats')).result, 'failure')
})

test('valkey that asks for a password is well; one that says nothing or loads is not', async () => {
  const answer = async (reply) => {
    const server = createTcp((socket) =>
      socket.once('data', () => socket.end(reply)),
    )
    await once(server.listen(6379, '127.0.0.1'), 'listening')
    try {
      return (await look('redis')).result
    } finally {
      await once(server.close(), 'close')
    }
  }
  assert.equal(await answer('-NOAUTH Authentication required.\r\n'), 'success')
  assert.equal(
    await answer('-LOADING Redis is loading the dataset\r\n'),
    'failure',
  )
  assert.equal(await answer(''), 'failure')
  assert.equal((await look('redis')).result, 'failure')
})

const spark = (number, level, reason = '') => ({
  kind: 'host',
  label: `Spark ${number}`,
  level,
  reason,
})

for (const [what, status, result, message] of [
  [
    'all up',
    { watched: true, targets: [spark(1, 'up'), spark(2, 'up')] },
    'success',
    /answers/,
  ],
  [
    'a service down',
    {
      watched: true,
      targets: [
        spark(1, 'up'),
        { kind: 'service', label: 'Kokoro', level: 'down' },
      ],
    },
    'success',
    /answers/,
  ],
  [
    'one down',
    { watched: true, targets: [spark(1, 'up'), spark(2, 'down', 'no route')] },
    'failure',
    /Spark 2: no route/,
  ],
  ['nobody watches', { watched: false, targets: [] }, 'loading', /watches/],
  [
    'not looked at yet',
    { watched: true, targets: [spark(1, 'unknown'), spark(2, 'up')] },
    'loading',
    /watches/,
  ],
])
  test(`the cluster check: ${what}`, async () => {
    const answer = await serving(
      9999,
      (url) => (url === '/api/status' ? [200, status] : [404, {}]),
      () => look('sparks'),
    )
    assert.equal(answer.result, result)
    assert.match(answer.message, message)
  })

/** Let the gate wait, its half seconds passing at once; how many passed until it opened. */
async function turnsUntilOpen(context, id) {
  context.mock.timers.enable({ apis: ['Date', 'setTimeout'] })
  let open = false
  const waiting = all
    .get(id)
    .exec.fn(null, new AbortController().signal)
    .then(() => (open = true))
  let turns = 0
  for (let look = 0; look < 20_000 && !open; look++) {
    await new Promise((resolve) => setImmediate(resolve))
    if (look % 100 === 99) {
      turns++
      context.mock.timers.tick(500)
    }
  }
  await waiting
  return turns
}

test('the gate before the gateway opens, though some never answer', async (context) => {
  const turns = await turnsUntilOpen(context, 'await-services')
  assert.ok(turns >= 89 && turns < 100, `${turns} half seconds`)
})

test('the gate before the services opens as soon as NATS and Valkey answer', async (context) => {
  const valkey = createTcp((socket) =>
    socket.once('data', () => socket.end('+PONG\r\n')),
  )
  await once(valkey.listen(6379, '127.0.0.1'), 'listening')
  try {
    const turns = await serving(
      8222,
      () => [200, {}],
      () => turnsUntilOpen(context, 'await-bus'),
    )
    assert.ok(turns < 50, `${turns} half seconds`)
  } finally {
    await once(valkey.close(), 'close')
  }
})
