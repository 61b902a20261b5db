// What helps developers: failures on the page, silence explained in the console, and a page that follows a rebuild.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { accessible } from '../axe.mjs'
import { launch } from '../browser.mjs'
import { ready } from '../demo.mjs'
import { connected, shows, visit, withPage } from '../page.mjs'
import { freePort, start } from '../server.mjs'

const SINEW_SECRET = 'b5c1f7d3a9e84620b5c1f7d3a9e84620b5c1f7d3a9e84620b5c1f7d3a9e84620'
const OVERLAY = 'sinew-development'
/** A reflex that fails rejects a promise, which nobody awaits here. */
const REJECTED = /^Object$/
/** What the browser says of a server that is away. */
const AWAY = /WebSocket connection to .* failed/
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sinew-page-'))
const file = path.join(folder, 'page.html')
let browser
let server

/** The page as the program renders it from its next start on. */
function write ({ title = 'First', form = '', extra = '', style = 'a', script = '' } = {}) {
  fs.writeFileSync(file, `<!DOCTYPE html><html lang="en"><head><title>${title}</title><link rel="stylesheet" href="/style/${style}">{client}${script}</head>
<body><main><h1 id="heading">${title}</h1>
<button id="render" data-reflex="click->Page#render">render</button>
<button id="fail" data-reflex="click->Page#fail">fail</button>
<button id="panic" data-reflex="click->Page#panic">panic</button>
<button id="break" data-reflex="click->Page#break_page">break</button>
<button id="unknown" data-reflex="click->Pge#render">unknown</button>
<button id="miss" data-reflex="click->Page#miss">miss</button>
<form id="form"><label>Name <input id="name" name="name"></label>
<label>Notes <textarea id="notes" name="notes">as written</textarea></label>
<label><input type="checkbox" id="agree" name="agree"> agree</label>
<label>Colour <select id="colour" name="colour"><option>red</option><option>green</option></select></label>
<label>File <input type="file" id="file" name="file"></label>
<label>Untouched <input id="untouched" name="untouched" value="${title}"></label>${form}</form>
<details id="more"><summary>more</summary>text</details>
<div id="permanent" data-reflex-permanent>${title}</div>
<div id="editable" contenteditable="true" role="textbox" aria-label="Editable">${title}</div>${extra}</main></body></html>`)
}

before(async () => {
  write()
  server = await start('page_from_file', { env: { PAGE: file, SINEW_ENV: 'development' } })
  browser = await launch()
})
after(async () => {
  await browser?.close()
  await server?.stop()
  fs.rmSync(folder, { recursive: true, force: true })
})

/** Restarts the server with the page as it is written now, and waits until the open page has followed. */
async function rebuilt (page) {
  await page.evaluate(() => { window.rebuilt = new Promise(resolve => document.addEventListener('sinew:rebuilt', resolve, { once: true })) })
  await server.restart()
  await page.evaluate(async () => { await window.rebuilt })
}

/** Waits for a line of the console that fits. */
function says (page, pattern) {
  return page.waitForEvent('console', { predicate: message => pattern.test(message.text()), timeout: 10_000 })
}

const overlay = (page, text) => page.locator(OVERLAY).getByRole('heading', { name: text })

test('a reflex that fails is shown with its reason, and goes away when it goes well', async () => {
  await withPage(browser, async page => {
    await visit(page, server.url + '/')
    await ready(page)
    await page.focus('#name')
    await page.evaluate(() => document.querySelector('#fail').click())
    await overlay(page, 'Reflex failed: Page#fail').waitFor()
    assert.equal(await page.locator(`${OVERLAY} pre`).textContent(), 'the <b>database</b> is away')
    assert.match(await page.locator(`${OVERLAY} dl`).textContent(), /button#fail/)
    // Whoever was typing goes on.
    assert.equal(await page.evaluate(() => document.activeElement.id), 'name')
    await page.keyboard.type('Ada')
    assert.equal(await page.inputValue('#name'), 'Ada')

    await page.evaluate(() => {
      const { application } = window.Sinew
      const element = document.querySelector('#fail')
      return application.getControllerForElementAndIdentifier(element, 'stimulus-reflex').stimulate('Page#fail', element, true)
    })
    await page.locator(OVERLAY).waitFor({ state: 'detached' })
  }, { expected: REJECTED })
})

test('each kind of failure has a title and what to do', async () => {
  await withPage(browser, async page => {
    await visit(page, server.url + '/')
    for (const [id, title, said] of [
      ['panic', 'Panic in Page#panic', /log says in which file/],
      ['unknown', 'Unknown reflex: Pge#render', /did you mean `Page`\?[^]*register/],
      ['break', 'The page failed after Page#break_page', /status 500/]
    ]) {
      await ready(page)
      await page.click('#' + id)
      await overlay(page, title).waitFor()
      assert.match(await page.locator(`${OVERLAY} li`, { hasText: title }).textContent(), said)
    }
    assert.equal(await page.locator(`${OVERLAY} li`).count(), 3)
    await page.keyboard.press('Escape')
    await page.locator(OVERLAY).waitFor({ state: 'detached' })
  }, { expected: REJECTED })
})

test('the overlay is accessible, in the light and in the dark, and closed by keyboard', async () => {
  await withPage(browser, async page => {
    await visit(page, server.url + '/')
    await ready(page)
    await page.click('#fail')
    await overlay(page, 'Reflex failed: Page#fail').waitFor()
    await accessible(page)
    await page.focus('#render')
    await page.locator(OVERLAY).getByRole('button', { name: 'Close: Reflex failed' }).focus()
    await page.keyboard.press('Enter')
    await page.locator(OVERLAY).waitFor({ state: 'detached' })
    assert.equal(await page.evaluate(() => document.activeElement.id), 'render', 'the focus is back where it was')
  }, { expected: REJECTED })
})

test('an operation that finds nothing, and a `data-reflex` that can never fire, are explained', async () => {
  write({ extra: '<button id="typo" data-reflex="Page#render">x</button>' })
  await server.restart()
  await withPage(browser, async page => {
    const [line] = await Promise.all([says(page, /button#typo/), visit(page, server.url + '/')])
    assert.match(line.text(), /`Page#render` names no event\. Write `click->Page#render`\./)
    await ready(page).catch(() => {})
    const [missing] = await Promise.all([says(page, /matches no element/), page.click('#miss')])
    assert.match(missing.text(), /`innerHtml` did nothing, because `#headign`.*reflex never ends.*Did you mean `#heading`\?/)
  })
  write()
  await server.restart()
})

test('what the content security policy stops is explained', async () => {
  write({ script: '<script>window.isRun = true</script>', extra: '<p style="color: red">red</p>' })
  await server.restart()
  await withPage(browser, async page => {
    const said = []
    page.on('console', message => { if (/^Sinew: the content security policy/.test(message.text())) said.push(message.text()) })
    await visit(page, server.url + '/')
    await Promise.all([says(page, /style-src-elem/), page.evaluate(() => {
      const style = document.createElement('style')
      style.textContent = 'p { color: red }'
      document.head.append(style)
    })])
    assert.equal(said.length, 3, said.join('\n'))
    // The first two were stopped while the page was read, before there was a script to hear of it.
    assert.match(said[0], /something inline, by script-src-elem \(.*\)\..*client\.nonce\(\)/)
    assert.match(said[1], /something inline, by style-src-attr.*stylesheet/)
    assert.match(said[2], /something inline, by style-src-elem.*client\.nonce\(\)/)
    assert.equal(await page.evaluate(() => window.isRun), undefined)
  }, { expected: /violates|Content Security Policy/ })
  write()
  await server.restart()
})

test('a cable that does not accept pages of this host says which setting does', async () => {
  const port = await freePort()
  const other = await start('page_from_file', { port, env: { PAGE: file, SINEW_ENV: 'development', SINEW_CABLE_URL: `ws://localhost:${port}/cable` } })
  try {
    await withPage(browser, async page => {
      await page.goto(other.url + '/')
      await overlay(page, 'Not connected').waitFor()
      assert.ok((await page.locator(`${OVERLAY} li`).textContent()).includes(`SINEW_ALLOWED_ORIGINS=${other.url}`))
    }, { expected: /WebSocket connection to .* failed: .*403/ })
  } finally {
    await other.stop()
  }
})

test('a visitor without a session is told how to get one', async () => {
  await withPage(browser, async page => {
    await visit(page, server.url + '/')
    await page.context().clearCookies()
    const [line] = await Promise.all([
      says(page, /refused this page: unauthorized/),
      // A socket of a browser without the cookie.
      page.evaluate(() => { window.Sinew.consumer.connection.reopen() })
    ])
    assert.match(line.text(), /take `ClientTags` into the handler/)
    await overlay(page, 'Not connected').waitFor()
  })
})

test('after a rebuild the open page is the new one, and keeps what was typed', async () => {
  write()
  await server.restart()
  await withPage(browser, async page => {
    await visit(page, server.url + '/')
    await page.fill('#name', 'Ada')
    await page.fill('#notes', 'half a sen')
    await page.check('#agree')
    await page.selectOption('#colour', 'green')
    await page.setInputFiles('#file', { name: 'a.txt', mimeType: 'text/plain', buffer: Buffer.from('a') })
    await page.click('#editable')
    await page.keyboard.press('End')
    await page.keyboard.type(' thought')
    await page.click('#more summary')
    await page.focus('#notes')
    await page.evaluate(() => {
      document.querySelector('#notes').setSelectionRange(2, 5)
      window.events = []
      for (const type of ['input', 'change', 'submit']) document.addEventListener(type, () => window.events.push(type), true)
      window.sameWindow = true
    })

    write({ title: 'Second', style: 'another', form: '<label>New <input id="new" name="new"></label>' })
    await rebuilt(page)

    await shows(page, 'h1', 'Second')
    assert.equal(await page.title(), 'Second')
    assert.equal(await page.locator('#new').count(), 1)
    assert.equal(await page.inputValue('#untouched'), 'Second', 'what nobody touched follows')
    assert.equal(await page.inputValue('#name'), 'Ada')
    assert.equal(await page.inputValue('#notes'), 'half a sen')
    assert.equal(await page.isChecked('#agree'), true)
    assert.equal(await page.inputValue('#colour'), 'green')
    assert.equal(await page.evaluate(() => document.querySelector('#file').files[0].name), 'a.txt')
    assert.equal(await page.textContent('#editable'), 'First thought')
    assert.equal(await page.textContent('#permanent'), 'First', '`data-reflex-permanent` stays')
    assert.equal(await page.evaluate(() => document.querySelector('#more').open), true)
    assert.deepEqual(await page.evaluate(() => {
      const { id, selectionStart, selectionEnd } = document.activeElement
      return [id, selectionStart, selectionEnd]
    }), ['notes', 2, 5])
    assert.equal(await page.evaluate(() => window.sameWindow), true, 'nothing was loaded again')
    assert.deepEqual(await page.evaluate(() => window.events), [], 'no event was made up')
    await page.waitForFunction(() => {
      const links = [...document.querySelectorAll('link[rel=stylesheet]')]
      return links.length === 1 && links[0].href.endsWith('/style/another')
    })
    assert.equal(await page.evaluate(() => getComputedStyle(document.querySelector('h1')).color), 'rgb(7, 0, 0)')
    await ready(page)
    await page.click('#render')
    await page.waitForFunction(() => Object.values(window.Sinew.StimulusReflex.reflexes.all).some(({ stage }) => ['success', 'after', 'finalize'].includes(stage)))
  }, { expected: AWAY })
})

test('a page that fails after a rebuild says so, and the next rebuild mends it', async () => {
  write({ title: 'Before' })
  await server.restart()
  await withPage(browser, async page => {
    await visit(page, server.url + '/')
    await page.route('**/', async route => {
      await route.fulfill({ response: await route.fetch(), status: 500, body: 'no template of this name' })
    }, { times: 1 })
    await server.restart()
    await overlay(page, 'The page was not renewed').waitFor()
    assert.match(await page.locator(`${OVERLAY} pre`).textContent(), /^500[^]*no template of this name$/)
    await shows(page, 'h1', 'Before')

    write({ title: 'Mended' })
    await rebuilt(page)
    await shows(page, 'h1', 'Mended')
    assert.equal(await page.locator(OVERLAY).count(), 0)
  }, { expected: /status of 500|WebSocket connection to .* failed/ })
})

test('a new script loads the page again, but not over what was typed', async () => {
  const script = name => `<script src="/script/${name}" defer></script>`
  write({ title: 'Before' })
  await server.restart()
  await withPage(browser, async page => {
    await visit(page, server.url + '/')
    await page.evaluate(() => { window.sameWindow = true })
    await page.fill('#name', 'Ada')
    write({ title: 'Typed', script: script('a') })
    const line = says(page, /scripts have changed/)
    await rebuilt(page)
    await line
    await shows(page, 'h1', 'Typed')
    assert.equal(await page.evaluate(() => window.sameWindow), true)

    await page.fill('#name', '')
    write({ title: 'Loaded', script: script('b') })
    await Promise.all([page.waitForEvent('load'), server.restart()])
    await connected(page)
    await shows(page, 'h1', 'Loaded')
    assert.equal(await page.evaluate(() => window.sameWindow), undefined)
  }, { expected: AWAY })
})

test('a connection that comes back to the same process touches nothing', async () => {
  write({ title: 'Same' })
  await server.restart()
  await withPage(browser, async page => {
    await visit(page, server.url + '/')
    await page.fill('#name', 'Ada')
    // Not in any answer of the server: a page that was fetched or morphed would lose it.
    write({ title: 'Not yet' })
    await watch(page)
    await page.evaluate(() => new Promise(resolve => {
      document.addEventListener('sinew:server', resolve, { once: true })
      window.Sinew.consumer.connection.reopen()
    }))
    assert.equal(await page.inputValue('#name'), 'Ada')
    assert.deepEqual(await page.evaluate(() => window.watched()), [0, [], 0])
  })
})

/** From here on the page notes what changes and what happens: but for the classes of its body, which say whether it is connected. */
function watch (page) {
  return page.evaluate(() => {
    const { body } = document
    window.changes = 0
    new MutationObserver(records => { window.changes += records.filter(({ target }) => target !== body).length })
      .observe(body, { attributes: true, childList: true, characterData: true, subtree: true })
    window.events = []
    for (const type of ['input', 'change', 'submit', 'sinew:rebuilt']) document.addEventListener(type, () => window.events.push(type), true)
    const fetched = performance.getEntriesByType('resource').length
    window.watched = () => [window.changes, window.events, performance.getEntriesByType('resource').length - fetched]
  })
}

test('in production a restart touches nothing on an open page, whatever is typed there', async () => {
  write({ title: 'Same' })
  const other = await start('page_from_file', { env: { PAGE: file, SINEW_ENV: 'production', SINEW_SECRET } })
  try {
    await withPage(browser, async page => {
      await visit(page, other.url + '/')
      await page.fill('#name', 'Ada')
      await page.fill('#notes', 'half a sen')
      await watch(page)
      await page.evaluate(() => { window.back = new Promise(resolve => document.addEventListener('stimulus-reflex:connected', resolve, { once: true })) })
      write({ title: 'Another' })
      await other.restart()
      await page.evaluate(async () => { await window.back })
      assert.deepEqual(await page.evaluate(() => window.watched()), [0, [], 0])
      assert.equal(await page.inputValue('#name'), 'Ada')
      assert.equal(await page.inputValue('#notes'), 'half a sen')
    }, { expected: AWAY })
  } finally {
    await other.stop()
  }
})

test('in production and in tests nothing of this is there', async () => {
  for (const SINEW_ENV of ['production', 'test']) {
    const other = await start('page_from_file', {
      env: { PAGE: file, SINEW_ENV, SINEW_SECRET }
    })
    try {
      await withPage(browser, async page => {
        await visit(page, other.url + '/')
        assert.equal(await page.locator('script[src*="development"]').count(), 0)
        assert.equal(await page.evaluate(() => window.Sinew.server), undefined, 'the server keeps silent')
      })
      const development = await (await fetch(server.url + '/')).text()
      const [script] = development.match(/\/_sinew\/development-[0-9a-f]{12}\.js/)
      assert.equal((await fetch(server.url + script)).status, 200)
      assert.equal((await fetch(other.url + script)).status, 404)
    } finally {
      await other.stop()
    }
  }
})
