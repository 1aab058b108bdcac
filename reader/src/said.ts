// SPDX-License-Identifier: AGPL-3.0-or-later
// Where each sentence stands in the words of a language. The order is that of the members of
// theme/locales/reader/en.json (a test holds the two together); numbers cost the worker less than names.
// Those of the single file stand last: the worker comes without them.

export const enum Said {
  dir, verified, verifiedAbsent, asof, asofOld, changed, stale, unrefreshed, first, again, details, edition,
  confirmed, from, fromHere, fromOwn, fromMirror, kind, live, sealed, sealedOn, mirrors, key, private,
  privateOff, privateOn, errorTitle, errorNetwork, errorMissing, errorAltered, errorSigner, errorRollback,
  errorSafe, errorAgain, errorTried, errorKept, singleWait, singleOpen, singleDrop, singleFront, singleBack,
  singleBundle, singleAbsent, singleMemory, singleMemoryOn, singleMemoryOff, singleMemoryNone,
  singleMemoryStop, singleMemoryAgain, singleFrom,
}
