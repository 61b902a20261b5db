/** The script that the server adds to its own in development: it needs what that one has started. */
import { develop, type Overlay } from './develop'

declare global {
  interface Window {
    SinewDevelopment: { readonly overlay: Overlay }
  }
}

if (window.Sinew === undefined) {
  // The browser has said why.
  console.warn('Sinew: the script for development was loaded without the client’s script before it.')
} else {
  window.SinewDevelopment = { overlay: develop(window.Sinew) }
}
