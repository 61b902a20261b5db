// The little that these pages do in the browser. No build, no framework: it is served as it is.

/** How long a field must be left alone before its search runs, in milliseconds. */
const SETTLE_MS = 250
const timers = new WeakMap()

// Typing becomes one `settled` once it pauses.
document.addEventListener('input', ({ target }) => {
  if (!target.matches('[data-settle]')) return
  clearTimeout(timers.get(target))
  timers.set(target, setTimeout(() => target.dispatchEvent(new CustomEvent('settled', { bubbles: true })), SETTLE_MS))
})

// Escape in a field becomes `cancelled`. A key itself is no good: StimulusReflex keeps every key
// from its default action where it listens to keys.
document.addEventListener('keydown', event => {
  if (event.key === 'Escape' && event.target.matches('[data-reflex*="cancelled->"]')) {
    event.target.dispatchEvent(new CustomEvent('cancelled', { bubbles: true }))
  }
})

// The wire page: what goes out and comes in for the last click, word for word.
const { consumer } = window.Sinew
const send = consumer.send.bind(consumer)
let listened = null
let sentAt = 0
let sentBytes = 0

const show = (selector, message) => { document.querySelector(selector).textContent = JSON.stringify(message, null, 2) }
const bytes = text => new TextEncoder().encode(text).length

consumer.send = data => {
  if (document.querySelector('#wire') && data.command === 'message') {
    listen(consumer.connection.webSocket)
    sentAt = performance.now()
    sentBytes = bytes(JSON.stringify(data))
    show('#wire-sent', { ...data, data: JSON.parse(data.data) })
  }
  return send(data)
}

// One connection, and after a lost one the next: each is listened to once.
function listen (socket) {
  if (socket === listened) return
  listened = socket
  socket.addEventListener('message', ({ data }) => {
    const { message } = JSON.parse(data)
    if (!message?.cableReady || !document.querySelector('#wire')) return
    const took = (performance.now() - sentAt).toFixed(1)
    show('#wire-received', JSON.parse(data))
    document.querySelector('#wire-summary').textContent = `${sentBytes} bytes out, ${bytes(data)} bytes back, after ${took} ms`
  })
}
