/**
 * Drops what comes for a page that was left meanwhile.
 *
 * A Turbo visit keeps the connection, so the answer to a reflex may arrive when the tab shows another page. The stock
 * client performs it there: a page morph puts the old page's body under the new page's address. Here every call
 * remembers the page it was made on, and what its reflex sends to a later page is not performed.
 *
 * Broadcasts are no answers: they carry no id of a reflex, and aim at whatever page is there.
 */
import type { Consumer, StimulusReflexClient } from './clients'
import { interceptMessages } from './version'

/** What changes the browser and no page: it is worth as much on the next one. */
const OF_THE_BROWSER: ReadonlySet<string> = new Set([
  'consoleLog', 'consoleTable', 'notification', 'setCookie', 'setStorageItem', 'removeStorageItem', 'clearStorage'
])

/** What moves the visitor, or names another address. */
const MOVES: ReadonlySet<string> = new Set(['go', 'pushState', 'redirectTo', 'reload', 'replaceState'])

/** How a reflex ends that changed nothing; as `-halted`, `-forbidden` and `-error`, an event on the document. */
const NOTHING = 'stimulus-reflex:morph-nothing'

interface Operation {
  readonly operation: string
  readonly name?: unknown
  readonly payload?: unknown
  readonly reflexId?: string | null
  readonly selector?: string
  readonly stimulusReflex?: { readonly id: string }
  readonly xpath?: boolean
}

interface Message { cableReady?: boolean, operations: Operation[] }

interface Visit { readonly state: string }

/** What of Turbo knows of a visit that is under way. */
interface Parts { navigator: { currentVisit?: Visit } }

/** When a reflex was called. */
interface Call { readonly page: number, readonly visit: Visit | undefined }

/** Starts listening, for as long as the document lives. */
export function dropForLeftPages (consumer: Consumer, client: StimulusReflexClient, turbo: unknown): void {
  const { navigator } = turbo as Parts
  // The client keeps its reflexes for ever; what is known of them here goes with them.
  const calls = new WeakMap<object, Call>()
  const reflex = (id: string): object | undefined => client.reflexes[id] as object | undefined
  let page = 0
  let previewed: Visit | undefined
  document.addEventListener('turbo:render', ({ detail }: CustomEventInit<{ renderMethod?: string }>) => {
    // Turbo's morph renews the page that is there.
    if (detail?.renderMethod === 'morph') return
    const visit = navigator.currentVisit
    const isPreview = document.documentElement.hasAttribute('data-turbo-preview')
    // What follows a preview is the same page, whose reflexes may have been called in the preview already.
    if (visit === undefined || visit !== previewed) page += 1
    previewed = isPreview ? visit : undefined
  })
  document.addEventListener('stimulus-reflex:before', ({ detail }: CustomEventInit<{ id: string }>) => {
    const called = detail === undefined ? undefined : reflex(detail.id)
    if (called !== undefined) calls.set(called, { page, visit: navigator.currentVisit })
  }, true)

  /** Whether an operation still has what it is meant for. */
  const isWanted = (operation: Operation): boolean => {
    const id = operation.stimulusReflex?.id ?? operation.reflexId
    const called = typeof id === 'string' ? reflex(id) : undefined
    const call = called && calls.get(called)
    if (call === undefined) return true
    if (call.page !== page) return outlives(operation)
    // Who has set out for another page since is not called back, nor is the new address replaced.
    const visit = navigator.currentVisit
    return !(MOVES.has(operation.operation) && visit?.state === 'started' && visit !== call.visit)
  }
  interceptMessages(consumer, message => {
    if (!isMessage(message)) return message
    const wanted = message.operations.filter(isWanted)
    const ending = message.operations.find(isEnding)
    // The reflex ends as one that changed nothing: its promise is kept, and it is not in flight for ever.
    if (ending !== undefined && !wanted.some(isEnding)) wanted.unshift(nothing(ending))
    return { ...message, operations: wanted }
  })
}

function isMessage (message: unknown): message is Message {
  const { cableReady, operations } = (message ?? {}) as Partial<Message>
  return cableReady === true && Array.isArray(operations)
}

/** Operations with the data of the call are those that end a reflex. */
function isEnding ({ stimulusReflex }: Operation): boolean {
  return stimulusReflex !== undefined
}

/** Whether an operation has something to do after its page was left. */
function outlives ({ operation, name, selector, stimulusReflex, xpath }: Operation): boolean {
  if (OF_THE_BROWSER.has(operation)) return true
  if (stimulusReflex !== undefined && operation === 'dispatchEvent' && String(name).startsWith('stimulus-reflex:')) return true
  // Turbo takes permanent elements along, and the new page's HTML does not renew them.
  return selector !== undefined && xpath !== true && document.querySelector(selector)?.closest('[data-turbo-permanent]') != null
}

/** The end of a reflex that changed nothing, in place of another. */
function nothing ({ payload, reflexId, stimulusReflex }: Operation): Operation {
  // While debugging the stock client refuses what was called at another address.
  const data = { ...stimulusReflex!, morph: 'nothing', url: location.href }
  return { operation: 'dispatchEvent', name: NOTHING, payload, reflexId, stimulusReflex: data }
}
