-- SPDX-License-Identifier: AGPL-3.0-or-later
CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
-- One row a story, withdrawn ones too (live = 0). detail: what is needed to take the row back.
CREATE TABLE stories (
    id INTEGER PRIMARY KEY, uri TEXT NOT NULL, version INTEGER NOT NULL, language TEXT NOT NULL,
    path TEXT NOT NULL, live INTEGER NOT NULL CHECK (live IN (0, 1)), month INTEGER NOT NULL,
    rank INTEGER NOT NULL, updated TEXT NOT NULL, translation TEXT NOT NULL, card BLOB NOT NULL,
    detail BLOB NOT NULL, start INTEGER NOT NULL, length INTEGER NOT NULL
);
CREATE TABLE listings (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, language TEXT NOT NULL, slug TEXT NOT NULL,
    title TEXT NOT NULL DEFAULT '', stories INTEGER NOT NULL DEFAULT 0 CHECK (stories >= 0),
    UNIQUE (kind, language, slug)
);
-- period: 202611 in the site's list, which goes by months; 0 in all others.
CREATE TABLE members (
    listing INTEGER NOT NULL, period INTEGER NOT NULL, rank INTEGER NOT NULL,
    story INTEGER NOT NULL, PRIMARY KEY (listing, period, rank, story)
) WITHOUT ROWID;
CREATE TABLE periods (
    listing INTEGER NOT NULL, period INTEGER NOT NULL, stories INTEGER NOT NULL,
    PRIMARY KEY (listing, period)
) WITHOUT ROWID;
-- The volumes of all other lists: the ranks of their oldest and newest story, their name.
CREATE TABLE volumes (
    listing INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, name TEXT NOT NULL,
    PRIMARY KEY (listing, first), CHECK (first <= last)
) WITHOUT ROWID;
CREATE TABLE months (month INTEGER PRIMARY KEY, updated TEXT NOT NULL);
-- Who shows whom under “Read more”.
CREATE TABLE refs (
    target TEXT NOT NULL, story INTEGER NOT NULL, PRIMARY KEY (target, story)
) WITHOUT ROWID;
-- Photos and other files; refs: how many published stories show one.
CREATE TABLE files (
    id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE,
    refs INTEGER NOT NULL DEFAULT 0 CHECK (refs >= 0)
);
CREATE TABLE redirects (
    path TEXT NOT NULL, story INTEGER NOT NULL, PRIMARY KEY (path, story)
) WITHOUT ROWID;
-- How many paths lead to an object; what no path leads to since which edition.
CREATE TABLE objects (sha256 BLOB PRIMARY KEY, refs INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE garbage (
    kind TEXT NOT NULL, sha256 BLOB NOT NULL, edition INTEGER NOT NULL,
    PRIMARY KEY (kind, sha256)
) WITHOUT ROWID;
