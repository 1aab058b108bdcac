# SPDX-License-Identifier: AGPL-3.0-or-later
"""What can go wrong with a mirror.

::

    MirrorError
    ├── RefusedError       the mirror refuses us: keys, rights (permanent)
    ├── GoneError          the place to push to is not there: bucket, folder (permanent)
    ├── AheadError         the mirror has a newer edition than we: not overwritten (permanent)
    ├── MisconfiguredError the settings or the credentials cannot be used (permanent)
    ├── UnreachableError   no answer, a cut connection, a server's own trouble
    ├── FullError          the mirror's disk or quota is full
    ├── BusyError          another process pushes to this mirror now
    ├── SupersededError    what was being pushed was replaced by newer editions meanwhile
    ├── UnsignedError      there is nothing signed to push yet
    ├── StoppedError       this process is to end
    └── SourceError        our own edition's folder is damaged

``permanent`` says whether trying the same again can help before a person has done something.
``word`` is the one word for it on the desk.
"""

from __future__ import annotations

from typing import ClassVar


class MirrorError(Exception):
    permanent: ClassVar[bool] = False
    word: ClassVar[str] = "failed"


class RefusedError(MirrorError):
    permanent = True
    word = "refused"


class GoneError(MirrorError):
    permanent = True
    word = "not there"


class MisconfiguredError(MirrorError):
    permanent = True
    word = "not set up"


class AheadError(MirrorError):
    permanent = True
    word = "newer than ours"


class UnreachableError(MirrorError):
    word = "no answer"


class FullError(MirrorError):
    word = "full"


class BusyError(MirrorError):
    word = "busy"


class SupersededError(MirrorError):
    word = "superseded"


class UnsignedError(MirrorError):
    word = "nothing signed"


class StoppedError(MirrorError):
    word = "stopped"


class SourceError(MirrorError):
    word = "our copy is damaged"
