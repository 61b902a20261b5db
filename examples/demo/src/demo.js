// The little that these pages do in the browser. No build, no framework: it is served as it is.

// Escape in a field becomes `cancelled`. A key itself is no good: StimulusReflex keeps every key
// from its default action where it listens to keys.
document.addEventListener('keydown', event => {
  if (event.key === 'Escape' && event.target.matches('[data-reflex*="cancelled->"]')) {
    event.target.dispatchEvent(new CustomEvent('cancelled', { bubbles: true }))
  }
})
