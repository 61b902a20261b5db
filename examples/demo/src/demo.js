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

// Addresses that the server pushed are Turbo's too, so that Back shows the page they stand for.
for (const name of ['push-state', 'replace-state']) {
  window.addEventListener(`cable-ready:after-${name}`, () => {
    window.Sinew.Turbo.navigator.history.replace(new URL(window.location.href))
  })
}
