import assert from 'node:assert/strict'
import fs from 'node:fs'
import { test } from 'node:test'
import zlib from 'node:zlib'
import { connect, library, REFLEX_CHANNEL, withPage } from './page.mjs'

const EMBEDDED = fs.readFileSync(new URL('../dist/sinew.js', import.meta.url), 'utf8')
const LIBRARY = await library()
const META = '<meta name="action-cable-url" content="/app/cable">'
const BUTTON = '<button data-reflex="click->Counter#increment" data-step="2">+</button><b id="count">0</b>'

test('the embedded script starts by itself and opens one connection where the page says', async () => {
  await withPage(`<head>${META}</head>${BUTTON}`, EMBEDDED, async page => {
    await connect(page)
    assert.equal(page.sockets[0].url, 'ws://example.test/app/cable')
    assert.deepEqual([...page.sockets[0].protocols], ['actioncable-v1-json', 'actioncable-unsupported'])
    const { Sinew } = page.window
    Sinew.consumer.subscriptions.create('RoomChannel')
    assert.equal(page.sockets.length, 1)
    assert.equal(Sinew.CableReady.consumer, Sinew.consumer)
    assert.deepEqual(Object.keys(Sinew), ['application', 'consumer', 'Controller', 'StimulusReflex', 'CableReady', 'Turbo', 'version', 'server'])
    assert.deepEqual(page.errors, [])
  })
})

test('without a meta tag the cable is at /cable', async () => {
  await withPage(BUTTON, EMBEDDED, async page => {
    assert.equal(page.window.Sinew.consumer.url, 'ws://example.test/cable')
  })
})

test('a click calls its reflex, and the reply changes the page', async () => {
  await withPage(BUTTON, EMBEDDED, async page => {
    const socket = await connect(page)
    page.document.querySelector('button').click()
    const call = await socket.said(message => message.command === 'message')
    const data = JSON.parse(call.data)
    assert.equal(data.target, 'Counter#increment')
    assert.equal(data.attrs['data-step'], '2')
    socket.tell({
      identifier: REFLEX_CHANNEL,
      message: {
        cableReady: true,
        version: page.window.Sinew.CableReady.version,
        operations: [{ operation: 'innerHtml', selector: '#count', html: '2', stimulusReflex: { ...data, morph: 'selector' } }]
      }
    })
    assert.equal(page.document.querySelector('#count').textContent, '2')
    assert.deepEqual(page.errors, [])
  })
})

test('a reply to another tab of the same visitor is not performed', async () => {
  await withPage(BUTTON, EMBEDDED, async page => {
    const socket = await connect(page)
    socket.tell({
      identifier: REFLEX_CHANNEL,
      message: {
        cableReady: true,
        version: page.window.Sinew.CableReady.version,
        operations: [{ operation: 'innerHtml', selector: '#count', html: '9', stimulusReflex: { id: 'of-another', tabId: 'another', morph: 'selector', url: 'http://example.test/' } }]
      }
    })
    assert.equal(page.document.querySelector('#count').textContent, '0')
  })
})

test('the library starts nothing before start(), which says where the cable is', async () => {
  await withPage(`<head>${META}</head>${BUTTON}`, LIBRARY, async page => {
    assert.equal(page.sockets.length, 0)
    assert.equal(page.window.Sinew, undefined)
    const { start } = page.window.Library
    const started = start({ cableUrl: 'wss://cable.example.test/cable', debug: true })
    assert.equal(started.consumer.url, 'wss://cable.example.test/cable')
    assert.equal(started.StimulusReflex.debug, true)
    assert.equal(start(), started, 'a page has one of each')
    assert.throws(() => start({ debug: false }), /started already/)
  })
})

test('an application and a consumer that are there already are used', async () => {
  await withPage(BUTTON, LIBRARY, async page => {
    const { Application, createConsumer, start } = page.window.Library
    const application = Application.start()
    const consumer = createConsumer('/mine')
    const started = start({ application, consumer })
    assert.equal(started.application, application)
    assert.equal(started.consumer, consumer)
    assert.equal(started.CableReady.consumer, consumer)
    assert.equal((await page.firstSocket).url, 'ws://example.test/mine')
  })
})

test('a consumer and an address at once are refused, and nothing is started', async () => {
  await withPage('', LIBRARY, async page => {
    const { createConsumer, start } = page.window.Library
    assert.throws(() => start({ consumer: createConsumer('/a'), cableUrl: '/b' }), /not both/)
    assert.equal(start({ cableUrl: '/b' }).consumer.url, 'ws://example.test/b')
  })
})

test('the package says its own version, the embedded script that it comes from the server', async () => {
  const { version } = JSON.parse(fs.readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  await withPage(BUTTON, LIBRARY, async page => {
    const started = page.window.Library.start()
    const socket = await page.firstSocket
    socket.accept()
    const { identifier } = await socket.said(message => message.command === 'subscribe')
    assert.equal(identifier, JSON.stringify({ channel: 'StimulusReflex::Channel', sinew: version }))
    assert.equal(started.version, version)
  })
  await withPage(BUTTON, EMBEDDED, async page => {
    await connect(page)
    assert.equal(page.window.Sinew.version, `${version}+embedded`)
  })
})

test('the compressed scripts are the script', () => {
  const file = ending => fs.readFileSync(new URL('../dist/sinew.js' + ending, import.meta.url))
  assert.equal(zlib.gunzipSync(file('.gz')).toString(), EMBEDDED)
  assert.equal(zlib.brotliDecompressSync(file('.br')).toString(), EMBEDDED)
})

test('everything the package names is in it', () => {
  const { exports: named, main, types } = JSON.parse(fs.readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  const files = [main, types, ...Object.values(named).flatMap(entry => typeof entry === 'string' ? [entry] : Object.values(entry))]
  for (const file of files) assert.ok(fs.existsSync(new URL(`../${file}`, import.meta.url)), `${file} is missing`)
})

test('a field that is typed in loses the attributes that the server takes away, and keeps what was typed', async () => {
  const field = '<label for="email">E-mail</label><input id="email" type="email" value="old" aria-invalid="true" data-reflex="input->Form#check">'
  await withPage(field, EMBEDDED, async page => {
    await connect(page)
    const input = page.document.querySelector('#email')
    const wires = input.dataset.action
    input.focus()
    input.value = 'ann@example.test'
    page.window.Sinew.CableReady.perform([{
      operation: 'morph',
      selector: 'body',
      childrenOnly: true,
      permanentAttributeName: 'data-reflex-permanent',
      html: '<label for="email">E-mail</label><input id="email" type="email" value="new" class="good" data-reflex="input->Form#check">'
    }])
    assert.equal(input.className, 'good')
    assert.equal(input.hasAttribute('aria-invalid'), false)
    assert.equal(input.getAttribute('value'), 'old')
    assert.equal(input.value, 'ann@example.test')
    assert.deepEqual(new Set(input.dataset.action.split(' ')), new Set(wires.split(' ')))
    assert.equal(page.document.activeElement, input)
    assert.deepEqual(page.errors, [])
  })
})

test('a page is fetched when its link is clicked, not before, unless the page asks for it', async () => {
  const isFetched = ({ window, document }) =>
    document.querySelector('a').dispatchEvent(new window.CustomEvent('turbo:before-prefetch', { bubbles: true, cancelable: true }))
  await withPage('<a href="/next">Next</a>', EMBEDDED, async page => assert.equal(isFetched(page), false))
  const asking = '<head><meta name="turbo-prefetch" content="true"></head><a href="/next">Next</a>'
  await withPage(asking, EMBEDDED, async page => assert.equal(isFetched(page), true))
})

test('a field that the server gives the focus has the caret behind its text', async () => {
  await withPage('<input id="title" value="Tea"><input id="begun" value="Tea"><input id="age" type="email" value="a@b">', EMBEDDED, async ({ window, document, errors }) => {
    const focus = selector => {
      window.Sinew.CableReady.perform([{ operation: 'setFocus', selector }])
      return document.querySelector(selector)
    }
    document.querySelector('#title').setSelectionRange(0, 0)
    assert.equal(focus('#title').selectionStart, 3)
    document.querySelector('#begun').setSelectionRange(1, 2)
    assert.equal(focus('#begun').selectionEnd, 2)
    assert.equal(focus('#age'), document.activeElement)
    assert.deepEqual(errors, [])
  })
})

test('a morph leaves elements wired, so that what is pressed right after it is not lost', async () => {
  const page = '<main id="m" data-controller="own"><button class="a" data-controller="mine" data-action="focus->mine#x" data-reflex="click->Counter#increment">+</button></main>'
  await withPage(page, EMBEDDED, async ({ window, document, firstSocket }) => {
    await connect({ firstSocket })
    const button = document.querySelector('button')
    const wired = { controller: button.dataset.controller, action: button.dataset.action }
    assert.match(wired.action, /click->stimulus-reflex#__perform/)
    const morph = html => window.Sinew.CableReady.perform([{ operation: 'morph', selector: '#m', childrenOnly: true, html }])

    morph('<button class="b" data-controller="mine" data-action="focus->mine#x" data-reflex="click->Counter#increment">+</button>')
    assert.equal(document.querySelector('button'), button)
    assert.equal(button.className, 'b')
    // Read at once, before any scan.
    assert.deepEqual(new Set(button.dataset.action.split(' ')), new Set(wired.action.split(' ')))
    assert.deepEqual(new Set(button.dataset.controller.split(' ')), new Set(wired.controller.split(' ')))

    // The page's own tokens and another reflex are the server's to say.
    morph('<button class="c" data-reflex="click->Counter#reset">+</button>')
    assert.equal(button.dataset.action, undefined)
    assert.equal(button.dataset.controller, undefined)
  })
})

test('an address that the server pushed is one of Turbo\'s, and its own state stays', async () => {
  await withPage(BUTTON, EMBEDDED, async ({ window, document, firstSocket }) => {
    await connect({ firstSocket })
    const { CableReady, Turbo } = window.Sinew
    const before = window.history.state.turbo
    CableReady.perform([{ operation: 'pushState', url: '/second', state: { row: 7 } }])
    assert.equal(window.location.pathname, '/second')
    const pushed = window.history.state
    assert.equal(pushed.row, 7)
    assert.equal(pushed.turbo.restorationIndex, before.restorationIndex + 1)
    assert.notEqual(pushed.turbo.restorationIdentifier, before.restorationIdentifier)
    assert.equal(Turbo.session.view.lastRenderedLocation.pathname, '/second')

    CableReady.perform([{ operation: 'replaceState', url: '/third' }])
    assert.equal(window.history.state.turbo.restorationIndex, pushed.turbo.restorationIndex)
    assert.equal(Turbo.navigator.history.location.pathname, '/third')

    const late = new Promise(resolve => setTimeout(resolve, 5))
    CableReady.perform([
      { operation: 'pushState', url: '/never', cancel: true },
      { operation: 'replaceState', url: '/late', delay: 1 }
    ])
    assert.equal(window.history.state.turbo.restorationIndex, pushed.turbo.restorationIndex)
    await late
    assert.equal(Turbo.navigator.history.location.pathname, '/late')

    Turbo.session.drive = false
    CableReady.perform([{ operation: 'pushState', url: '/fourth', state: { row: 8 } }])
    assert.deepEqual({ ...window.history.state }, { row: 8 })
  })
})

test('elements that ask for it hear once that the connection is back', async () => {
  const page = '<main data-reflex="reconnected->Room#outer"><ol data-reflex="click->Room#open reconnected->Room#catch_up"></ol></main><p data-reflex="click->Room#other"></p>'
  await withPage(page, EMBEDDED, async ({ window, firstSocket, sockets }) => {
    const first = await connect({ firstSocket })
    const called = socket => socket.sent.filter(({ command }) => command === 'message').map(({ data }) => JSON.parse(data).target)
    assert.deepEqual(called(first), [], 'the first connection is no news')
    first.close()
    window.Sinew.consumer.connection.reopen()
    while (sockets.length < 2) await new Promise(resolve => setTimeout(resolve, 1))
    const second = await connect({ firstSocket: sockets[1] })
    await second.said(({ data }) => data?.includes('catch_up'))
    assert.deepEqual(called(second), ['Room#outer', 'Room#catch_up'])
  })
})
