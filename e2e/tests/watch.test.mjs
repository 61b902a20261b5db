// An application is edited while it runs under `sinew watch`, with a browser on its page.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import http from 'node:http'
import os from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { launch } from '../browser.mjs'
import { connected, shows, visit, withPage } from '../page.mjs'
import { binary, freePort } from '../server.mjs'

// The first build compiles the crates that the application needs.
const BUILD_TIMEOUT_MS = 1_800_000
const REQUEST_TIMEOUT_MS = 60_000

const checkout = fileURLToPath(new URL('../..', import.meta.url))
// A folder of its own: a build that is ended half-way here must not spoil those of the checkout.
const target = path.join(process.env.CARGO_TARGET_DIR || path.join(checkout, 'target'), 'watched')

let folder, watcher, browser, url

before(async () => {
  folder = application()
  const port = await freePort()
  url = `http://127.0.0.1:${port}`
  watcher = watch(folder, port)
  browser = await launch()
  await watcher.says(/built in/)
}, { timeout: BUILD_TIMEOUT_MS })

after(async () => {
  await browser?.close()
  await watcher?.stop()
  if (folder) fs.rmSync(folder, { recursive: true, force: true })
})

test('an edit replaces the program, and nobody who comes meanwhile is refused', { timeout: BUILD_TIMEOUT_MS }, async () => {
  assert.match(await get('/'), /<h1>before<\/h1>/)
  const visitors = visitAgainAndAgain()
  const saved = performance.now()
  edit('before', 'after')
  await visitors.see('<h1>after</h1>')
  const seen = performance.now() - saved
  await watcher.says(/built in/)
  console.log(`from saving to the new page: ${(seen / 1000).toFixed(1)} s; the watcher: ${watcher.last(/built in .*/)}`)
  const { answered, failed } = await visitors.leave()
  assert.deepEqual(failed, [])
  assert.ok(answered > 10, `${answered} requests were answered`)
  edit('after', 'before')
  await watcher.says(/built in/)
})

test('an edit that does not compile leaves the page as it was, and the next one heals it', { timeout: BUILD_TIMEOUT_MS }, async () => {
  await withPage(browser, async page => {
    await visit(page, url)
    edit('"before"', '42')
    await watcher.says(/error\[E0308\]/)
    await watcher.says(/is still served by the program from before/)
    await page.click('button')
    await shows(page, '#count', '1')

    edit('42', '"healed"')
    await watcher.says(/built in/)
    await page.reload()
    await shows(page, 'h1', 'healed')
    // The session is kept on disk.
    await shows(page, '#count', '1')
    edit('healed', 'before')
    await watcher.says(/built in/)
  }, { expected: /WebSocket|ERR_/ })
})

test('an open page becomes that of the new program by itself', { timeout: BUILD_TIMEOUT_MS }, async () => {
  await withPage(browser, async page => {
    await visit(page, url)
    const saved = performance.now()
    edit('before', 'once more')
    await page.waitForFunction(() => document.querySelector('h1').textContent === 'once more', null, { timeout: REQUEST_TIMEOUT_MS })
    console.log(`from saving to the open page: ${((performance.now() - saved) / 1000).toFixed(1)} s; the watcher: ${watcher.last(/built in .*/)}`)
    await connected(page)
    await page.click('button')
    await shows(page, '#count', '1')
    edit('once more', 'before')
    await watcher.says(/built in/)
  }, { expected: /WebSocket|ERR_/ })
})

test('a template that is read from disk needs no build: the open page becomes what it says', { timeout: BUILD_TIMEOUT_MS }, async () => {
  await withPage(browser, async page => {
    await visit(page, url)
    await shows(page, 'small', 'footer')
    const processes = watcher.count(/listening on/)
    fs.writeFileSync(path.join(folder, 'templates/footer.html'), '<small>another footer</small>')
    await shows(page, 'small', 'another footer')
    // cargo was asked, and had nothing to build.
    await watcher.says(/Finished/)
    assert.equal(watcher.count(/listening on/), processes)
  })
})

/** Writes a small application that depends on this checkout, and builds as it does. */
function application () {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sinew-watched-'))
  const profiles = fs.readFileSync(path.join(checkout, 'Cargo.toml'), 'utf8').replace(/^[\s\S]*?(?=\[profile\.dev\])/, '')
  fs.mkdirSync(path.join(folder, 'src'))
  fs.writeFileSync(path.join(folder, 'Cargo.toml'), `
[package]
name = "watched"
version = "0.1.0"
edition = "2024"

[dependencies]
axum = { version = "0.8.9", default-features = false, features = ["http1", "tokio"] }
sinew = { path = ${JSON.stringify(path.join(checkout, 'crates/sinew'))} }
tokio = { version = "1.54", features = ["macros", "rt-multi-thread"] }

[workspace]

${profiles}`)
  fs.copyFileSync(path.join(checkout, 'Cargo.lock'), path.join(folder, 'Cargo.lock'))
  fs.writeFileSync(path.join(folder, 'src/main.rs'), `
use axum::{Router, response::Html, routing::get};
use sinew::prelude::*;

const TITLE: &str = "before";
const TEMPLATES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/templates");

struct Counter;

#[reflex]
impl Counter {
    async fn increment(&self, cx: &mut Reflex) -> Result {
        cx.session().update("count", |count: i64| count + 1).await?;
        Ok(())
    }
}

async fn index(session: Session, client: ClientTags) -> Result<Html<String>> {
    let count: i64 = session.get_or_default("count").await?;
    let click = sinew::reflex!("click" => Counter::increment);
    Ok(Html(format!(
        "<!DOCTYPE html><html lang=\\"en\\"><head><title>Watched</title>{client}</head><body>\\
         <h1>{TITLE}</h1><button data-reflex=\\"{click}\\">+</button><p id=\\"count\\">{count}</p>{}</body></html>",
        std::fs::read_to_string(format!("{TEMPLATES}/footer.html"))?
    )))
}

#[tokio::main]
async fn main() -> Result {
    Sinew::new(Router::new().route("/", get(index))).reflex(Counter).watch_templates(TEMPLATES).serve().await
}
`)
  fs.mkdirSync(path.join(folder, 'templates'))
  fs.writeFileSync(path.join(folder, 'templates/footer.html'), '<small>footer</small>')
  return folder
}

function edit (from, to) {
  const file = path.join(folder, 'src/main.rs')
  const text = fs.readFileSync(file, 'utf8')
  assert.ok(text.includes(from), `${from} is in the source`)
  watcher.forget()
  fs.writeFileSync(file, text.replace(from, to))
}

/** Starts the watcher. `says` waits for a line of its output that matches, after those that it has read or forgotten. */
function watch (cwd, port) {
  const env = { ...process.env, CARGO_TARGET_DIR: target, SINEW_ENV: 'development', SINEW_DATA_DIR: path.join(cwd, '.sinew') }
  const child = spawn(binary('sinew'), ['watch', '--port', String(port)], { cwd, env, stdio: ['ignore', 'inherit', 'pipe'] })
  process.on('exit', () => child.kill('SIGKILL'))
  const lines = []
  let read = 0
  let rest = ''
  let wake = () => {}
  const exit = new Promise(resolve => child.on('exit', resolve)).then(() => wake())
  child.stderr.setEncoding('utf8').on('data', text => {
    const parts = (rest + text).split('\n')
    rest = parts.pop()
    lines.push(...parts)
    wake()
  })
  return {
    says: async pattern => {
      for (;;) {
        while (read < lines.length) {
          const line = lines[read++]
          if (pattern.test(line)) return
          if (/the build failed; change something/.test(line)) throw new Error(`the first build failed:\n${lines.join('\n')}`)
        }
        if (child.exitCode !== null) throw new Error(`the watcher ended before it said ${pattern}:\n${lines.join('\n')}`)
        await new Promise(resolve => { wake = resolve })
      }
    },
    count: pattern => lines.filter(line => pattern.test(line)).length,
    forget: () => { read = lines.length },
    last: pattern => lines.findLast(line => pattern.test(line)).match(pattern)[0],
    stop: async () => { child.kill('SIGTERM'); await exit }
  }
}

/** One request after the other, each over a connection of its own, until told to leave. */
function visitAgainAndAgain () {
  let leaving = false
  let answered = 0
  const failed = []
  const awaited = []
  const done = (async () => {
    while (!leaving) {
      const answer = await get('/').catch(error => { failed.push(String(error)); return '' })
      if (answer) answered++
      for (const { text, resolve } of awaited) if (answer.includes(text)) resolve()
    }
  })()
  return {
    see: text => new Promise(resolve => awaited.push({ text, resolve })),
    leave: async () => { leaving = true; await done; return { answered, failed } }
  }
}

function get (path) {
  return new Promise((resolve, reject) => {
    const request = http.get(url + path, { agent: false, timeout: REQUEST_TIMEOUT_MS }, response => {
      let body = ''
      response.setEncoding('utf8').on('data', text => { body += text })
      response.on('end', () => response.statusCode === 200 ? resolve(body) : reject(new Error(`${response.statusCode}: ${body}`)))
    })
    request.on('timeout', () => request.destroy(new Error(`no answer within ${REQUEST_TIMEOUT_MS} ms`)))
    request.on('error', reject)
  })
}
