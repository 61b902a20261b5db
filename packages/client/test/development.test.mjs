// What helps developers: what is shown on the page and said in the console.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import { test } from 'node:test'
import { confirm, connect, REFLEX_CHANNEL, withPage } from './page.mjs'

const file = name => fs.readFileSync(new URL(`../dist/${name}`, import.meta.url), 'utf8')
const SCRIPTS = [file('sinew.js'), file('sinew-development.js')]
const BUTTON = '<button id="add" data-reflex="click->Counter#increment">+</button><b id="count">0</b>'

const overlay = ({ document }) => document.querySelector('sinew-development')?.shadowRoot
const titles = page => [...overlay(page)?.querySelectorAll('h2') ?? []].map(title => title.textContent)

/** Calls the first button's reflex; gives what the page sent of it. */
async function call (page, socket) {
  const before = socket.sent.length
  const button = page.document.querySelector('button')
  const controller = page.window.Sinew.application.getControllerForElementAndIdentifier(button, 'stimulus-reflex')
  // As a click does, but that somebody awaits the promise, which a failure rejects.
  controller.stimulate('Counter#increment', button).catch(() => {})
  const call = await socket.said(message => message.command === 'message' && socket.sent.indexOf(message) >= before)
  return JSON.parse(call.data)
}

/** Answers a reflex as the server does. */
function answer (page, socket, data, operation) {
  const version = page.window.Sinew.CableReady.version
  const stimulusReflex = { ...data, morph: 'page' }
  socket.tell({ identifier: REFLEX_CHANNEL, message: { cableReady: true, version, operations: [{ stimulusReflex, reflexId: data.id, payload: {}, ...operation }] } })
}

const failed = error => ({ operation: 'dispatchEvent', name: 'stimulus-reflex:morph-error', error })
const nothing = { operation: 'dispatchEvent', name: 'stimulus-reflex:morph-nothing' }

for (const [error, title, advice] of [
  ['the database is away', 'Reflex failed: Counter#increment', /Error::visible/],
  ['CountrReflex is not a StimulusReflex::Reflex: no reflex of that name is registered; did you mean `Counter`?', 'Unknown reflex: Counter#increment', /Sinew::new\(router\)\.reflex/],
  ["Reflex method 'x' is not defined on class 'CounterReflex' or on any of its ancestors", 'Unknown action: Counter#increment', /async fn action/],
  ['target `Counter` is not of the form Class#action', 'Malformed target: Counter#increment', /click->Name#action/],
  ['wrong number of arguments (given [], expected [[:req, :step]], optional [])', 'Wrong arguments: Counter#increment', /Option/],
  ['the page handler answered with status 500', 'The page failed after Counter#increment', /went well/],
  ['the action panicked: no', 'Panic in Counter#increment', /log/],
  ['the page handler panicked: no', 'The page failed after Counter#increment', /went well/],
  ['the action took longer than 10s', 'Too slow: Counter#increment', /timeout/]
]) {
  test(`a failure is shown until the reflex goes well: ${error}`, async () => {
    await withPage(BUTTON, SCRIPTS, async page => {
      const socket = await connect(page)
      answer(page, socket, await call(page, socket), failed(error))
      assert.deepEqual(titles(page), [title])
      const item = overlay(page).querySelector('li')
      assert.equal(item.querySelector('pre').textContent, error)
      assert.match(item.querySelector('p').textContent, advice)
      assert.match(item.querySelector('dl').textContent, /http:\/\/example\.test\/.*button#add/)
      answer(page, socket, await call(page, socket), nothing)
      assert.ok(overlay(page) === undefined)
    })
  })
}

test('the text of an error is text, and of a reasonable length', async () => {
  await withPage(BUTTON, SCRIPTS, async page => {
    const socket = await connect(page)
    answer(page, socket, await call(page, socket), failed(`<img src=x onerror=alert(1)>${'a'.repeat(10_000)}`))
    assert.ok(overlay(page).querySelector('img') === null)
    const { textContent } = overlay(page).querySelector('pre')
    assert.ok(textContent.startsWith('<img src=x') && textContent.length < 4100)
  })
})

test('there is room for a few problems, each can be closed, and Escape closes them all', async () => {
  await withPage(BUTTON, SCRIPTS, async page => {
    const { overlay: shown } = page.window.SinewDevelopment
    for (let number = 1; number <= 7; number++) shown.show({ key: String(number), title: `Problem ${number}`, text: '' })
    assert.deepEqual(titles(page), [7, 6, 5, 4, 3].map(number => `Problem ${number}`))
    shown.show({ key: '4', title: 'Problem 4 again', text: '', advice: 'Write `x`.' })
    assert.deepEqual(titles(page), ['Problem 4 again', 'Problem 7', 'Problem 6', 'Problem 5', 'Problem 3'])
    assert.equal(overlay(page).querySelector('li code').textContent, 'x')
    assert.match(overlay(page).querySelector('header p').textContent, /5 problems/)
    overlay(page).querySelector('li button').click()
    assert.equal(titles(page).length, 4)

    const press = prevented => {
      const event = new page.window.KeyboardEvent('keydown', { key: 'Escape', bubbles: true, cancelable: true })
      if (prevented) event.preventDefault()
      page.document.body.dispatchEvent(event)
    }
    press(true)
    assert.equal(titles(page).length, 4, 'the page had a use for the key')
    press(false)
    assert.ok(overlay(page) === undefined)
  })
})

test('versions that do not go together are shown', async () => {
  await withPage(BUTTON, SCRIPTS, async page => {
    const socket = await connect(page)
    socket.tell({ identifier: REFLEX_CHANNEL, message: { sinew: { server: '9.0.0', compatible: false, update: 'server', text: 'Wait.' } } })
    assert.deepEqual(titles(page), ['Page and server are of different versions'])
    assert.match(overlay(page).querySelector('li').textContent, /9\.0\.0.*Wait\./s)
    socket.tell({ identifier: REFLEX_CHANNEL, message: { sinew: { server: '0.1.0', compatible: true, boot: 'a' } } })
    assert.ok(overlay(page) === undefined)
  })
})

/** The page with this in it says these lines. */
function says (name, html, ...lines) {
  test(`explained: ${name}`, async () => {
    await withPage(html, SCRIPTS, async ({ errors }) => {
      const said = errors.filter(text => text.startsWith('Sinew: data-reflex'))
      assert.equal(said.length, lines.length, said.join('\n'))
      lines.forEach((line, index) => assert.match(said[index], line))
    })
  })
}

says('nothing to explain', `${BUTTON}<button data-reflex="click"></button><form data-reflex="submit->A#b change->A#c"><input></form>
  <div data-reflex="keydown.enter->A#b input->A#c"><p contenteditable></p></div><x-list data-reflex="change->A::B#c"></x-list><i data-reflex="my:event->a/b#c"></i>`)
says('no event', '<button data-reflex="Counter#increment"></button>', /on button: `Counter#increment` names no event\. Write `click->Counter#increment`/)
says('an arrow without its shaft', '<button data-reflex="click>Counter#increment"></button>', /Write `click->Counter#increment`/)
says('an arrow without an event', '<button data-reflex="->Counter#increment"></button>', /names no event before the arrow/)
says('spaces around the arrow', '<button data-reflex="click -> Counter#increment"></button>', /a space around/)
says('no action', '<button data-reflex="click->Counter"></button>', /not of the form `Name#action`/)
says('two arrows', '<button data-reflex="click->Counter#a,input->Counter#b"></button>', /two arrows/)
says('nothing at all', '<button data-reflex=" "></button>', /it is empty/)
says('an event that never comes', '<button data-reflex="submit->A#b change->A#c"></button>', /`submit` never comes from here/, /`change` never comes from here/)

test('what comes into the page later is explained too, and once', async () => {
  await withPage('<main></main>', SCRIPTS, async ({ window, document, errors }) => {
    const told = () => errors.filter(text => text.startsWith('Sinew: data-reflex')).length
    /** Changes the page and waits until those that watch it have looked. */
    const change = how => new Promise(resolve => {
      const observer = new window.MutationObserver(() => {
        observer.disconnect()
        window.setTimeout(resolve)
      })
      observer.observe(document, { childList: true, attributes: true, subtree: true })
      how()
    })
    await change(() => { document.querySelector('main').innerHTML = '<a data-reflex="Counter#a"></a>' })
    assert.equal(told(), 1)
    await change(() => document.querySelector('main').append('more'))
    assert.equal(told(), 1)
    await change(() => document.querySelector('a').setAttribute('data-reflex', 'Counter#b'))
    assert.equal(told(), 2)
  })
})

test('an operation that finds no element says so, and which one may have been meant', async () => {
  await withPage(BUTTON, SCRIPTS, async page => {
    const { CableReady } = page.window.Sinew
    const told = () => page.errors.filter(text => text.startsWith('Sinew: '))
    CableReady.perform([{ operation: 'textContent', selector: '#count', text: '1' }])
    CableReady.perform([{ operation: 'textContent', selector: '.none', selectAll: true, text: '1' }], { onMissingElement: 'ignore' })
    CableReady.perform([{ operation: 'consoleLog', message: 'x' }])
    assert.equal(page.document.querySelector('#count').textContent, '1')
    assert.match(told()[0], /`textContent` did nothing, because `\.none` matches no element of this page\. Correct the selector/)
    CableReady.perform([{ operation: 'textContent', selector: '#cuont', text: '1' }])
    assert.match(told()[1], /`#cuont` matches no element of this page\. Did you mean `#count`\?/)

    const socket = await connect(page)
    answer(page, socket, await call(page, socket), { operation: 'innerHtml', selector: '#gone', html: '' })
    assert.match(told()[2], /Its reflex never ends in this tab/)
    assert.equal(told().length, 3)
  })
})

for (const [effectiveDirective, blockedURI, advice] of [
  ['script-src-elem', 'inline', /something inline, by script-src-elem \(http:\/\/example\.test\/:7\).*client\.nonce\(\)/],
  ['script-src-attr', 'inline', /data-reflex/],
  ['script-src', 'eval', /evaluates text/],
  ['style-src-attr', 'inline', /stylesheet/],
  ['style-src-elem', 'inline', /client\.nonce\(\)/],
  ['connect-src', 'wss://cable.example.test/cable', /SINEW_CABLE_URL/],
  ['img-src', 'https://images.example.test/a.png', /allow\("img-src", "https:\/\/images\.example\.test"\)/],
  ['worker-src', 'blob', /allow\("worker-src", "blob:"\)/]
]) {
  test(`explained: the policy's ${effectiveDirective} stops ${blockedURI}`, async () => {
    await withPage('', SCRIPTS, async ({ window, document, errors }) => {
      const event = Object.assign(new window.Event('securitypolicyviolation'), { effectiveDirective, blockedURI, sourceFile: 'http://example.test/', lineNumber: 7 })
      document.dispatchEvent(event)
      assert.equal(errors.length, 1)
      assert.match(errors[0], advice)
    })
  })
}

test('a connection that is refused is explained, and no longer when it is made', async () => {
  await withPage(BUTTON, SCRIPTS, async page => {
    const socket = await page.firstSocket
    socket.readyState = 1
    socket.dispatch('open', {})
    socket.tell({ type: 'disconnect', reason: 'unauthorized', reconnect: false })
    assert.deepEqual(titles(page), ['Not connected'])
    assert.match(page.errors[0], /refused this page: unauthorized\..*ClientTags/)
    const again = page.nextSocket()
    page.window.Sinew.consumer.connection.open()
    await confirm(await again)
    assert.ok(overlay(page) === undefined)
  })
})

/** A page whose handshake fails while the server answers, or not, to requests. */
function unopened (name, meta, answers, expected) {
  test(`explained: ${name}`, async () => {
    await withPage(`<head>${meta}</head>${BUTTON}`, SCRIPTS, async page => {
      let asked
      const isAsked = new Promise(resolve => { asked = resolve })
      page.window.fetch = async (...request) => {
        asked(request)
        if (!answers) throw new Error('away')
        return {}
      }
      const socket = await page.firstSocket
      socket.close()
      const [url, { method }] = await isAsked
      assert.deepEqual([url, method], ['http://example.test/', 'HEAD'])
      await new Promise(resolve => page.window.setTimeout(resolve))
      const text = overlay(page)?.querySelector('li').textContent
      expected === null ? assert.equal(text, undefined) : assert.match(text, expected)
    })
  })
}
unopened('a cable elsewhere that does not accept the page', '<meta name="action-cable-url" content="wss://cable.example.test/cable">', true,
  /SINEW_ALLOWED_ORIGINS=http:\/\/example\.test/)
unopened('a proxy that does not pass on the upgrade', '', true, /ws:\/\/example\.test\/cable does not accept.*Upgrade/s)
unopened('a server that is away is no mistake', '', false, null)

test('after a lost connection the page is back at once, but not where it was told to stay away', async () => {
  await withPage(BUTTON, SCRIPTS, async page => {
    const socket = await connect(page)
    const next = page.nextSocket()
    const lostAt = Date.now()
    socket.close()
    const again = await next
    // The stock client would look after more than six seconds.
    assert.ok(Date.now() - lostAt < 3000)
    await confirm(again)
    again.tell({ type: 'disconnect', reason: 'remote', reconnect: false })
    assert.equal(page.sockets.length, 2)
    assert.ok(!page.window.Sinew.consumer.connection.monitor.isRunning())
  })
})

/** After a rebuild the page answers with this. */
function rebuilt (name, response, action) {
  test(`after a rebuild: ${name}`, async () => {
    await withPage(BUTTON, SCRIPTS, async page => {
      const answered = new Promise(resolve => {
        page.window.fetch = async (...request) => {
          // After all that waits for the answer.
          page.window.setTimeout(() => resolve(request), 0)
          return { ok: true, status: 200, statusText: 'OK', redirected: false, headers: new Map([['content-type', 'text/html']]), text: async () => '', ...response }
        }
      })
      const socket = await connect(page)
      const about = boot => socket.tell({ identifier: REFLEX_CHANNEL, message: { sinew: { server: '0.1.0', compatible: true, boot } } })
      about('one')
      about('one')
      page.window.SinewDevelopment.overlay.show({ key: 'old', title: 'Of the program before', text: '' })
      about('two')
      const [url, { cache }] = await answered
      assert.deepEqual([String(url), cache], ['http://example.test/', 'no-store'])
      action(page)
    })
  })
}

rebuilt('the page becomes the new one', { text: async () => '<title>New</title><body><p id="new">new</p></body>' }, page => {
  assert.equal(page.document.title, 'New')
  assert.equal(page.document.body.innerHTML.trim(), '<p id="new">new</p>')
  assert.ok(overlay(page) === undefined, 'what failed in the program before is gone')
})
rebuilt('a page that fails stays as it is', { ok: false, status: 500, statusText: 'Oh', text: async () => 'no template' }, page => {
  assert.equal(page.document.querySelector('#count').textContent, '0')
  assert.match(overlay(page).querySelector('pre').textContent, /^500 Oh\nno template$/)
})
rebuilt('a page that redirects stays as it is', { redirected: true, url: 'http://example.test/login' }, page => {
  assert.equal(page.document.querySelector('#count').textContent, '0')
  assert.match(overlay(page).querySelector('pre').textContent, /redirects to http:\/\/example\.test\/login/)
})

test('a page that is asked to renew itself does so each time, and a connection that comes back to the same process is none', async () => {
  await withPage(BUTTON, SCRIPTS, async page => {
    let asked = 0
    page.window.fetch = async () => {
      asked++
      throw new Error('away')
    }
    const about = (socket, boot) => socket.tell({ identifier: REFLEX_CHANNEL, message: { sinew: { server: '0.1.0', compatible: true, boot } } })
    const socket = await connect(page)
    about(socket, 'process')
    assert.equal(asked, 0)
    about(socket, 'a template changed')
    about(socket, 'another changed')
    assert.equal(asked, 2)
    const next = page.nextSocket()
    socket.close()
    await confirm(await next)
    about(page.sockets[1], 'process')
    assert.equal(asked, 2)
  })
})

test('without the client before it the script says what is missing', async () => {
  await withPage('', SCRIPTS[1], async ({ errors }) => {
    assert.deepEqual(errors, ['Sinew: the script for development was loaded without the client’s script before it.'])
  })
})
