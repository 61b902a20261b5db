// The programs of the book, in a browser: what a reader types is what runs.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { launch } from '../browser.mjs'
import { ready } from '../demo.mjs'
import { startNginx } from '../nginx.mjs'
import { connected, shows, visit, withPage } from '../page.mjs'
import { start } from '../server.mjs'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
let browser

before(async () => { browser = await launch() })
after(() => browser?.close())

const chapterOf = name => fs.readFileSync(path.join(ROOT, 'docs/guide', `${name}.md`), 'utf8')

/** The code blocks of a chapter that name their file in the first line, by file: as it is shown first. */
function filesOf (chapter) {
  const blocks = chapterOf(chapter).matchAll(/^```\w+\n(?:\/\/|#) ([\w./-]+)\n([^]*?)^```$/gm)
  const files = {}
  for (const [, file, content] of blocks) files[file] ??= content
  return files
}

/** Starts the program of a chapter, as built by `cargo build -p book`, for as long as `steps` take. */
async function withProgram (chapter, steps) {
  const server = await start(`book-${chapter}`)
  try {
    await steps(server.url + '/')
  } finally {
    await server.stop()
  }
}

test('the counter: two files, built as a reader would, and clicked', async () => {
  const files = filesOf('counter')
  assert.deepEqual(Object.keys(files), ['Cargo.toml', 'src/main.rs'])
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sinew-counter-'))
  try {
    const version = /^sinew = \{ version = "0\.1", (.*)$/m
    assert.match(files['Cargo.toml'], version)
    const checkout = JSON.stringify(path.join(ROOT, 'crates/sinew'))
    files['Cargo.toml'] = files['Cargo.toml'].replace(version, `sinew = { path = ${checkout}, $1`)
    for (const [file, content] of Object.entries(files)) {
      fs.mkdirSync(path.dirname(path.join(folder, file)), { recursive: true })
      fs.writeFileSync(path.join(folder, file), content)
    }
    // The versions and settings of this workspace, so that what it has built need not be built again.
    fs.copyFileSync(path.join(ROOT, 'Cargo.lock'), path.join(folder, 'Cargo.lock'))
    const target = process.env.CARGO_TARGET_DIR || path.join(ROOT, 'target')
    const cargo = spawnSync(process.env.CARGO || 'cargo', [
      'build', '--config', 'profile.dev.package."*".opt-level=1', '--config', 'profile.dev.debug="line-tables-only"'
    ], { cwd: folder, encoding: 'utf8', env: { ...process.env, CARGO_TARGET_DIR: target } })
    assert.equal(cargo.status, 0, cargo.stderr)

    process.env.COUNTER_BIN = path.join(target, 'debug', 'counter')
    const server = await start('counter')
    try {
      await withPage(browser, async page => {
        await visit(page, server.url + '/')
        await page.click('#add')
        await shows(page, '#count', '1')
        await page.reload()
        await connected(page)
        await page.click('#add')
        await shows(page, '#count', '2')
      })
      assert.match(server.output(), /CounterReflex#increment -> body via Page Morph \(morph\)/)
    } finally {
      await server.stop()
    }
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
})

test('the counter, a step more: counted in tens, and set back', async () => {
  await withProgram('step', url => withPage(browser, async page => {
    await visit(page, url)
    await page.click('#ten')
    await shows(page, '#count', '10')
    await page.click('#add')
    await shows(page, '#count', '11')
    await page.click('#reset')
    await shows(page, '#count', '0')
  }))
})

test('the todo list: added, checked, renamed, given up, filtered and cleared', async () => {
  await withProgram('todos', url => withPage(browser, async page => {
    await visit(page, url)
    for (const title of ['tea', 'milk']) {
      await page.fill('#new-todo', title)
      await page.keyboard.press('Enter')
      await page.waitForFunction(() => document.querySelector('#new-todo').value === '')
    }
    await shows(page, '#left', '2 items left')
    await page.check('#toggle-1')
    await shows(page, '#left', '1 item left')

    await edit(page, 'cream')
    await page.keyboard.press('Escape')
    await shows(page, '#todo-2 span', 'milk')
    await edit(page, 'cream')
    await page.keyboard.press('Enter')
    await shows(page, '#todo-2 span', 'cream')
    await edit(page, 'oat milk')
    await page.locator('#new-todo').focus()
    await shows(page, '#todo-2 span', 'oat milk')
    // The caret stands at the end, and a filter that is chosen meanwhile waits for the new title.
    await edit(page, 'soy milk')
    await page.keyboard.type(', 2 l')
    await page.click('#active')
    await page.waitForURL('**/?show=active')
    await shows(page, '#todo-2 span', 'soy milk, 2 l')
    await edit(page, 'oat milk')
    await page.keyboard.press('Enter')
    await shows(page, '#todo-2 span', 'oat milk')

    await ready(page)
    await page.click('#completed')
    await page.waitForURL('**/?show=completed')
    await shows(page, 'li span', 'tea')
    await ready(page)
    await page.click('#clear')
    await page.waitForFunction(() => !document.querySelector('li'))
    await page.click('#all')
    await shows(page, 'li span', 'oat milk')
  }))
})

/** Opens the field of the second todo, as somebody does who needs longer than the client's scan for new fields. */
async function edit (page, title) {
  await ready(page)
  await page.dblclick('#todo-2 span')
  await page.waitForSelector('#edit-2')
  await ready(page)
  await page.fill('#edit-2', title)
}

test('the search answers once typing pauses, and keeps the address in step', async () => {
  await withProgram('search', url => withPage(browser, async page => {
    await visit(page, url)
    await page.locator('#q').pressSequentially('ber')
    await shows(page, '#found', '2 of 8')
    assert.equal(await page.inputValue('#q'), 'ber')
    assert.equal(page.url(), url + '?q=ber')
    await page.locator('#q').pressSequentially('l')
    await shows(page, '#found', '1 of 8')
    await page.reload()
    await shows(page, '#found', '1 of 8')
  }))
})

test('the form says what is wrong beside the fields, and keeps what was typed', async () => {
  await withProgram('forms', url => withPage(browser, async page => {
    await visit(page, url)
    await page.fill('#name', 'Ada')
    await page.keyboard.press('Enter')
    await shows(page, '#seats-problem', 'Between one and six seats.')
    assert.equal(await page.inputValue('#name'), 'Ada')
    await page.waitForFunction(() => document.activeElement.id === 'email')
    await page.fill('#email', 'ada@example.org')
    await page.fill('#seats', '2')
    await page.check('#terms')
    await page.click('button')
    await shows(page, '#booked', '2 seats are yours, Ada.')
  }))
})

test('the chat: two browsers hear each other', async () => {
  await withProgram('broadcasting', url => withPage(browser, async ada => {
    await enter(ada, url)
    await withPage(browser, async bob => {
      await enter(bob, url)
      await ada.fill('#name', 'Ada')
      await ada.fill('#text', '<i>Hello</i>')
      await ada.keyboard.press('Enter')
      await shows(bob, '#messages li', 'Ada <i>Hello</i>')
      await shows(ada, '#messages li', 'Ada <i>Hello</i>')
      await ada.waitForFunction(() => document.querySelector('#text').value === '')
      // Two calls with one draft: it is said once.
      await ada.evaluate(() => {
        document.querySelector('#text').value = 'twice'
        for (const _ of [1, 2]) document.querySelector('form').requestSubmit()
      })
      await ada.waitForFunction(() => document.querySelector('#text').value === '')
      await ready(ada)
      await ada.fill('#text', 'last')
      await ada.keyboard.press('Enter')
      await shows(bob, '#messages li:last-child', 'Ada last')
      assert.equal(await bob.locator('#messages li').count(), 3)
    })
  }))
})

/** Opens a page and waits until it follows its stream. */
async function enter (page, url) {
  const follows = new Promise(resolve => page.on('websocket', socket => socket.on('framereceived', ({ payload }) => {
    if (payload.includes('confirm_subscription') && payload.includes('CableReady::Stream')) resolve()
  })))
  await visit(page, url)
  await follows
}

test('the job goes on through a reload and ends', async () => {
  await withProgram('jobs', url => withPage(browser, async page => {
    await enter(page, url)
    await page.click('#start')
    await shows(page, '#state', 'Working …')
    await page.waitForFunction(() => document.querySelector('#progress').value > 2)
    await page.reload()
    await shows(page, '#state', 'Done.')
    await shows(page, '#percent', '100 %')
  }))
})

test('the table sorts and turns in place', async () => {
  await withProgram('pages', url => withPage(browser, async page => {
    await visit(page, url)
    await page.click('#by-height')
    await shows(page, 'tbody td', 'Hazel')
    assert.equal(page.url(), url + '?sort=height&down=0&page=1')
    await ready(page)
    await page.click('#next')
    await shows(page, '#page', '2 of 3')
    await page.reload()
    await shows(page, '#page', '2 of 3')
    // Addresses that the server pushed are pages to go back to.
    await page.goBack()
    await shows(page, '#page', '1 of 3')
    await shows(page, 'tbody td', 'Hazel')
  }))
})

test('a Stimulus controller calls with arguments, and hears the answer and the error', async () => {
  await withProgram('browser', url => withPage(browser, async page => {
    await visit(page, url)
    // What the chapters show for all reflexes of a page.
    await page.evaluate(() => document.addEventListener('stimulus-reflex:error', ({ detail: { id } }) => {
      window.told = window.Sinew.StimulusReflex.reflexes[id].error
    }))
    await page.click('#stars-3')
    await shows(page, '#said', '3 stars for tea')
    await page.click('#stars-9')
    await shows(page, '#problem', 'Five stars at most.')
    await shows(page, '#said', '')
    assert.equal(await page.evaluate(() => window.told), 'Five stars at most.')
  }))
})

test('the wire shows what went out and what came in', async () => {
  await withProgram('wire', url => withPage(browser, async page => {
    await visit(page, url)
    await page.click('#by-selector')
    await shows(page, '#clicks', '1')
    await page.waitForFunction(() => document.querySelector('#received').textContent.includes('"operation": "morph"'))
    assert.match(await page.textContent('#sent'), /"target": "Wire#selector"/)
    assert.match(await page.textContent('#summary'), /^\d+ bytes out, \d+ bytes back, after [\d.]+ ms$/)
    // A page morph leaves it alone.
    await page.click('#by-page')
    await shows(page, '#clicks', '2')
    assert.match(await page.textContent('#sent'), /"target": "Wire#page"/)
  }))
})

test('the board: a dot is drawn everywhere, kept for who comes later, and cleared', async () => {
  await withProgram('channels', url => withPage(browser, async ada => {
    await joined(ada, url)
    await ada.click('#board', { position: { x: 40, y: 60 } })
    await ada.waitForSelector('circle[cx="40"][cy="60"]')
    await withPage(browser, async bob => {
      await joined(bob, url)
      await bob.waitForSelector('circle[cx="40"]')
      await bob.click('#board', { position: { x: 90, y: 90 } })
      await ada.waitForSelector('circle[cx="90"]')
      await bob.click('#clear')
      for (const page of [ada, bob]) await page.waitForFunction(() => !document.querySelector('circle'))
    })
  }))
})

/** Opens the page of the board and waits until its channel has answered. */
async function joined (page, url) {
  const told = new Promise(resolve => page.on('websocket', socket => socket.on('framereceived', ({ payload }) => {
    if (payload.includes('"dots"')) resolve()
  })))
  await visit(page, url)
  await told
}

test('who signs in keeps notes until they sign out', async () => {
  await withProgram('sessions', url => withPage(browser, async page => {
    // Nothing can be called before the visitor is known, so nothing connects.
    await page.goto(url)
    await page.fill('#name', 'ada')
    await page.fill('#password', 'engine')
    await page.click('#in')
    await shows(page, '#user', 'You are ada.')
    await page.fill('#note', 'tea')
    await ready(page)
    await page.click('#add')
    await shows(page, 'li', 'tea')
    await page.click('#out')
    await page.waitForSelector('#in')
  }))
})

test('behind nginx as the chapter about deployment sets it up', async () => {
  const [, block] = chapterOf('deployment').match(/^```nginx\n([^]*?)^```$/m)
  const secret = '7d1f0c3b9ae84625d1f7c3a9e84620b5c1f7d3a9'
  const server = await start('book-counter', {
    env: { SINEW_ENV: 'production', SINEW_SECRET: secret, SINEW_TRUSTED_PROXIES: 'loopback' }
  })
  try {
    const nginx = await startNginx({}, port => {
      assert.match(block, /listen 80;[^]*proxy_pass http:\/\/127\.0\.0\.1:3000;/)
      return block.replace('listen 80;', `listen 127.0.0.1:${port};`).replace('http://127.0.0.1:3000', server.url)
    })
    try {
      await withPage(browser, async page => {
        await visit(page, `http://127.0.0.1:${nginx.port}/`)
        await page.click('#add')
        await shows(page, '#count', '1')
      })
    } finally {
      await nginx.stop()
    }
  } finally {
    await server.stop()
  }
})
