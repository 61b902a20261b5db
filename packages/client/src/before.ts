// Loaded before everything else: Turbo styles its progress bar as soon as it is loaded.
import { showNonce } from './nonce'

showNonce()
