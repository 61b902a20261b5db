// `sinew doctor` with the demo, as somebody who deploys it runs it.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import crypto from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { binary, freePort, start } from '../server.mjs'

// What depends on how and where the tests are run.
const OF_THE_MACHINE = 'debug-build,few-descriptors,short-backlog,volatile-data,ephemeral-data'

let data, healthy

before(async () => {
  data = fs.mkdtempSync(path.join(os.tmpdir(), 'sinew-doctor-'))
  healthy = {
    PATH: process.env.PATH,
    SINEW_ENV: 'production',
    SINEW_SECRET: crypto.randomBytes(32).toString('hex'),
    SINEW_DATA_DIR: data,
    SINEW_LISTEN: `127.0.0.1:${await freePort()}`,
    SINEW_URL: 'https://shop.example.com',
    SINEW_DOCTOR_IGNORE: OF_THE_MACHINE
  }
})

after(() => fs.rmSync(data, { recursive: true, force: true }))

test('a healthy application ends with 0', async () => {
  const { code, document } = await examine({})
  assert.deepEqual(document.findings, [])
  assert.equal(document.environment, 'production')
  assert.equal(code, 0)
})

test('warnings end with 1, and notices alone with 0', async () => {
  const warned = await examine({ SINEW_PING_SECONDS: '30', SINEW_URL: '' })
  assert.deepEqual(warned.document.findings.map(it => [it.code, it.severity]), [['slow-pings', 'warning'], ['url-unset', 'notice']])
  assert.equal(warned.code, 1)
  assert.equal((await examine({ SINEW_URL: '' })).code, 0)
})

test('errors end with 2, each with what, why and what to do', async () => {
  const { code, document } = await examine({ SINEW_NODES: '2', SINEW_SECRET: '' })
  assert.equal(code, 2)
  assert.equal(document.exit_code, 2)
  assert.deepEqual(document.findings.map(it => it.code), ['secret-missing', 'sessions-not-shared', 'streams-not-shared', 'cache-not-shared'])
  for (const finding of document.findings) {
    for (const part of ['subject', 'what', 'why', 'fix']) assert.ok(finding[part].length > 3, `${finding.code}: ${part}`)
  }
})

test('people read text, and no secret', async () => {
  const { code, stdout, stderr } = await doctor([], { SINEW_ALLOWED_ORIGINS: '*' })
  assert.match(stdout, /\nwarning: the origin check is off \[any-origin\]\n/)
  assert.match(stdout, /\nsinew doctor: 0 errors, 1 warning, 0 notices\n$/)
  assert.ok(!(stdout + stderr).includes(healthy.SINEW_SECRET))
  assert.equal(code, 1)
})

test('an application that runs may be examined beside itself', async () => {
  const server = await start('demo', { env: healthy, port: Number(healthy.SINEW_LISTEN.split(':')[1]) })
  try {
    const { code, document } = await examine({})
    assert.deepEqual(document.findings.map(it => [it.code, it.severity]), [['port-in-use', 'notice']])
    assert.equal(code, 0)
  } finally {
    await server.stop()
  }
})

async function examine (env) {
  const { code, stdout, stderr } = await doctor(['--json'], env)
  assert.equal(stdout.trim().split('\n').length, 1, stdout + stderr)
  return { code, document: JSON.parse(stdout) }
}

function doctor (options, env) {
  const child = spawn(binary('sinew'), ['doctor', ...options, '--', binary('demo')], { env: { ...healthy, ...env }, cwd: data })
  const said = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr']) child[name].setEncoding('utf8').on('data', text => { said[name] += text })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', code => resolve({ code, ...said }))
  })
}
