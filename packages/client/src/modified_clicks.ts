/**
 * Leaves clicks that ask for a new tab or window to the browser, on links that call a reflex.
 *
 * The stock client takes every click on such a link. Turbo and browsers read Ctrl, Meta, Shift, Alt and the other
 * buttons as "elsewhere, not here"; so a link that is one without a script stays one with it.
 */

/** What the stock client adds to each controller that calls reflexes. */
interface ReflexController { __perform?: (event: Event) => void }

/** Starts listening, for as long as the page lives; before the first controller is there. */
export function leaveModifiedClicks (): void {
  document.addEventListener('stimulus-reflex:controller-registered', event => {
    // The stock client has put the details of the event one deeper.
    const { detail } = event as CustomEvent<{ detail?: { controller?: ReflexController } }>
    const controller = detail.detail?.controller
    const perform = controller?.__perform
    if (controller === undefined || perform === undefined) return
    controller.__perform = function (this: unknown, event: Event) {
      if (!isForBrowser(event)) perform.call(this, event)
    }
  })
}

/** Whether a click on a link asks for it elsewhere. */
function isForBrowser (event: Event): boolean {
  if (event.type !== 'click' || !(event instanceof MouseEvent) || !(event.target instanceof Element)) return false
  const isModified = event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || event.button > 0
  return isModified && event.target.closest('a[href]') !== null
}
