// nginx in front of an example application: an instance of its own, on a free port, ended with its test.
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { freePort } from './server.mjs'

const START_TIMEOUT_MS = 10_000
const READY_POLL_MS = 25

/** Where Debian puts it, which is in no ordinary user's PATH. */
const NGINX = process.env.NGINX || '/usr/sbin/nginx'

const children = new Set()
process.on('exit', () => children.forEach(child => child.kill('SIGKILL')))

/** What a proxy adds so that a cable works behind it, as in nginx's own documentation. */
const FORWARD = `
  proxy_http_version 1.1;
  proxy_set_header Upgrade $http_upgrade;
  proxy_set_header Connection $connection_upgrade;
  proxy_set_header Host $http_host;
  proxy_set_header X-Forwarded-For $remote_addr;
  proxy_set_header X-Forwarded-Proto $scheme;`

/**
 * Starts nginx.
 *
 * @param {{ from: string, to: string }} location requests below the path `from` go to `to`: an address with a
 *   path has that in place of `from`, one without is asked for the path as it is
 * @param {(port: number) => string} inside what stands inside of `http`, if it is not one such location
 * @returns {Promise<{ port: number, stop: () => Promise<void> }>}
 */
export async function startNginx ({ from, to }, inside = port => location(port, from, to)) {
  const port = await freePort()
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sinew-nginx-'))
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  const file = path.join(folder, 'nginx.conf')
  fs.writeFileSync(file, `
    daemon off;
    worker_processes 1;
    pid ${folder}/nginx.pid;
    error_log stderr warn;
    ${process.getuid() === 0 ? 'user root;' : ''}
    events {}
    http {
      access_log off;
      ${temporary.map(name => `${name}_temp_path ${folder}/${name};`).join('\n')}
      ${inside(port)}
    }`)
  const child = spawn(NGINX, ['-p', folder, '-c', file, '-e', 'stderr'], { stdio: ['ignore', 'ignore', 'pipe'] })
  children.add(child)
  let output = ''
  child.stderr.setEncoding('utf8').on('data', text => { output += text })
  let ended = null
  const exit = new Promise(resolve => {
    child.on('error', error => { ended = error.message; resolve() })
    child.on('exit', (code, signal) => { ended ??= `exited with ${signal ?? code}`; resolve() })
  })
  const stop = async () => {
    child.kill('SIGTERM')
    await exit
    children.delete(child)
    fs.rmSync(folder, { recursive: true, force: true })
  }
  const deadline = Date.now() + START_TIMEOUT_MS
  while (!await listens(port)) {
    if (ended === null && Date.now() < deadline) {
      // A port tells nobody when it opens.
      await new Promise(resolve => setTimeout(resolve, READY_POLL_MS))
      continue
    }
    const why = ended ?? `nobody listens on port ${port} after ${START_TIMEOUT_MS} ms`
    await stop()
    throw new Error(`nginx did not start: ${why}\n${output}`)
  }
  return { port, stop }
}

const location = (port, from, to) => `
      map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
      server {
        listen 127.0.0.1:${port};
        location ${from} { proxy_pass ${to}; ${FORWARD} }
        location / { return 404; }
      }`

function listens (port) {
  return new Promise(resolve => {
    const socket = net.connect(port, '127.0.0.1', () => { socket.destroy(); resolve(true) })
    socket.on('error', () => resolve(false))
  })
}
