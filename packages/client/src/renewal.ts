/**
 * Loads the page again, once, when its script is older than the server: after a deploy, at a moment at which nobody
 * loses anything by it.
 */
import type { StimulusReflexClient } from './clients'
import { holdsInput } from './forms'

/** How often the page is looked at while a moment is awaited, in milliseconds. */
const LOOK_INTERVAL = 1000

/** How long a page in view must not have been touched, in milliseconds. */
const CALM = 2000

/** What touches a page. */
const TOUCHES = ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchmove', 'scroll']

/** Stages of a reflex whose answer is still to come. */
const IN_FLIGHT = ['created', 'before', 'queued', 'delivered']

interface Reflex {
  readonly id: string
  readonly stage: string
  readonly controller: { readonly element: Element }
}

/**
 * Waits for a quiet moment and loads the page again.
 *
 * `sinew:before-reload` is dispatched on the document before; who prevents it keeps the page as it is.
 * For one pair of versions a tab does this once: a page that is still old afterwards would be for ever.
 */
export function renew (client: string, server: string, reflexes: () => Reflex[]): void {
  const key = `sinew:reloaded:${client}:${server}`
  if (isNoted(key)) return
  let touchedAt = Date.now()
  const touched = (): void => { touchedAt = Date.now() }
  TOUCHES.forEach(type => addEventListener(type, touched, { capture: true, passive: true }))
  const look = (): void => {
    const isCalm = document.visibilityState === 'hidden' || Date.now() - touchedAt >= CALM
    if (!isCalm || isOccupied() || reflexes().some(isInFlight)) return
    stop()
    const event = new CustomEvent('sinew:before-reload', { cancelable: true, detail: { client, server } })
    // Without a note there would be nothing that keeps a stale page from loading for ever.
    if (document.dispatchEvent(event) && note(key)) location.reload()
  }
  const timer = setInterval(look, LOOK_INTERVAL)
  document.addEventListener('visibilitychange', look)
  const stop = (): void => {
    clearInterval(timer)
    document.removeEventListener('visibilitychange', look)
    TOUCHES.forEach(type => removeEventListener(type, touched, { capture: true }))
  }
}

/** Whether somebody is in the middle of something that a reload would end. */
function isOccupied (): boolean {
  return holdsInput() ||
    document.querySelector('dialog[open]') !== null ||
    document.fullscreenElement != null ||
    [...document.querySelectorAll<HTMLMediaElement>('audio, video')].some(media => !media.paused)
}

/** A reflex whose element has left the page keeps its stage for ever. */
function isInFlight ({ stage, controller }: Reflex): boolean {
  return IN_FLIGHT.includes(stage) && controller.element.isConnected
}

/** The reflexes of the page, without those whose answer was lost with their connection: it will never come. */
export function livingReflexes (client: StimulusReflexClient): () => Reflex[] {
  const lost = new WeakSet<Reflex>()
  const all = (): Reflex[] => Object.values((client.reflexes as { all: { [id: string]: Reflex } }).all)
  document.addEventListener('stimulus-reflex:disconnected', () => {
    all().filter(reflex => reflex.stage === 'delivered').forEach(reflex => lost.add(reflex))
  })
  return () => all().filter(reflex => !lost.has(reflex))
}

function isNoted (key: string): boolean {
  try {
    return sessionStorage.getItem(key) !== null
  } catch {
    return true
  }
}

function note (key: string): boolean {
  try {
    sessionStorage.setItem(key, '1')
    return true
  } catch {
    return false
  }
}
