# SPDX-License-Identifier: AGPL-3.0-or-later
# ruff: noqa: E501
"""The words by which furniture, captions and sources are known, in English and Russian.

Weights are log-odds by hand: positive speaks for furniture, negative for an article.
"""

from __future__ import annotations

import re

FURNITURE: tuple[tuple[re.Pattern[str], float], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), weight)
    for pattern, weight in (
        (r"\bnewsletters?\b|\bрассылк", 1.6),
        (r"\bsubscri(?:be|bers?|ption)\b|\bподпи(?:ш|с(?:ыва|аться|ка|ку|чик))", 1.2),
        (r"\bsign(?:ing)? (?:up|in)\b|\blog ?in\b|\bregister (?:now|here|free)|\bвойти\b", 2.0),
        (r"\b(?:in|to) your (?:in|mail)box\b|\bв вашем? (?:ящик|почт)|на вашу почту", 2.0),
        (r"\bunsubscribe\b|\bотписаться", 2.0),
        (r"\bdonat(?:e|ions?)\b|\bдонат|\bпожертв", 1.2),
        (r"\b(?:support|supporting|help|fund) (?:us|our)\b|\bподдерж\w+ (?:нас|наш|редакц)", 2.2),
        (
            r"\byour (?:support|contribution|gift|donation)\b|\bваш\w* (?:поддержк|помощь|вклад)",
            2.4,
        ),
        (r"\bprivacy policy\b|\bterms of (?:use|service)\b|\bcookies?\b", 2.0),
        (r"политик\w+ конфиденциальности|пользовательск\w+ соглашени|\bкуки\b|файлы cookie", 2.0),
        (
            r"\badvertisement\b|\bsponsored\b|\badvertis\w+ with us|^реклама\.?$|на правах рекламы",
            2.2,
        ),
        (r"\bshare (?:this|on|via)\b|\bfollow us\b|\bподелиться|\bподписывайтесь на", 2.0),
        (r"^\W*(?:read (?:more|next|also|this)|see also|more (?:from|on|about)|related)\b", 2.6),
        (
            r"^\W*(?:читайте (?:также|ещ[её])|читать (?:далее|дальше|ещ[её])|подробнее|ещ[её] по теме)",
            2.6,
        ),
        (r"\bmost (?:read|popular|shared)\b|\btrending\b|\bсамое (?:читаемое|популярное)", 2.4),
        (
            r"\bremind me\b|\bnot ready to\b|\bmaybe later\b|\bнапомни\w* (?:мне|позже)|\bне готовы\b",
            2.6,
        ),
        (
            r"\bpayments? methods?\b|\bpaiment\b|\bcredit card\b|способ\w* оплаты|\bбанковск\w+ карт",
            1.8,
        ),
        (
            r"\bdear (?:readers?|friends?|supporters?)\b|\b(?:дорог|уважаем)\w+ (?:читател|друзья)",
            3.0,
        ),
        (
            r"\b(?:a )?(?:message|letter|appeal|note) from\b.{0,60}:?$|^обращени\w+ (?:редакци|от )",
            2.6,
        ),
        (
            r"\bthank you for\b|\bthanks for (?:reading|your)\b|\bспасибо,? что\b|спасибо за (?:вашу|поддерж)",
            2.2,
        ),
        (r"\bwe need (?:you|your)\b|\bнам нужн\w+ ваш|\bспасибо, что вы\b", 2.2),
        (r"\bindependent (?:journalism|media|reporting)\b|независим\w+ журналистик", 0.9),
        (
            r"\bbecome a (?:member|supporter|patron)\b|\bjoin us\b|\bстаньте (?:нашим|частью|участник)",
            2.4,
        ),
        (r"\bstarting from (?:just )?\D?\d|\bjust [$€£]\d|\bвсего (?:от )?\d+ ?(?:₽|руб)", 1.4),
        (r"\ball rights reserved\b|©|\bвсе права защищены\b|\bcopyright \d{4}", 3.0),
        (
            r"\bskip to\b|\bback to top\b|\bnavigation\b|^menu$|^меню$|^search$|^поиск$|^наверх$",
            2.6,
        ),
        (
            r"\bcomments?\b \(?\d|\bleave a (?:comment|reply)\b|\bkommentar|^комментари[ий]\w*(?: \d+)?$",
            2.4,
        ),
        (
            r"\bdownload (?:our|the) app\b|\bскача\w+ (?:наше )?приложение|\bapp store\b|\bgoogle play\b",
            2.4,
        ),
        (r"\breaders like you\b|\bconsider (?:a|making|becoming|supporting)\b|\bwe rely on\b", 1.4),
        (r"\bclick here\b|\bnever miss\b|\bhand-?picked\b|\bнажмите\b|\bне пропуст", 1.4),
        (
            r"\b(?:every|each) contribution\b|\bno matter how small\b|любая сумма|кажд\w+ (?:рубль|вклад)",
            2.2,
        ),
        (r"\be-?mail address\b|\bvalid e-?mail\b|\bваш e-?mail\b|электронн\w+ почт\w+\s*$", 2.0),
        (r"\bwe use\b.{0,40}\bcookies|\baccept all\b|\bпринять все\b|\bman?age preferences\b", 3.0),
        (
            r"\bfor more (?:stories|news)|\bour (?:telegram|channel|podcast)|\bнаш\w* (?:телеграм|канал)",
            2.0,
        ),
    )
)
LABELS = re.compile(
    r"^(?:once|one[- ]time|monthly|annual(?:ly)?|yearly|continue|submit|subscribe|donate|next|"
    r"previous|close|preview|share|print|e-?mail|save|listen|other(?: amount)?|custom|facebook|"
    r"twitter|x|telegram|whatsapp|vk|copy link|menu|search|home|news|opinion|video|photo|"
    r"разово|один раз|раз в (?:месяц|год)|ежемесячно|ежегодно|продолжить|отправить|далее|назад|"
    r"закрыть|поделиться|печать|сохранить|слушать|другая(?: сумма)?|вконтакте|телеграм|главная|"
    r"[$€£₽]\s?\d[\d.,]*(?:\s?/\s?\w+)?|\d[\d.,\s]*\s?(?:[$€£₽]|руб\.?|usd|eur)(?:\s?/\s?\w+)?)\W*$",
    re.IGNORECASE,
)
IMPERATIVE = re.compile(
    r"^\W*(?:(?:please |пожалуйста,? )?(?:support|sign up|subscribe|donate|join|share|follow|"
    r"get (?:our|the)|help us|give|become|download|enter|choose|select|click|stay (?:informed|in)|"
    r"поддерж(?:и|ите)|подпи(?:шитесь|сывайтесь)|присоединяйтесь|помогите|поделитесь|"
    r"выберите|введите|нажмите|станьте|оформите|скачайте|следите|читайте)\b)",
    re.IGNORECASE,
)
WE = re.compile(r"\b(?:we|us|our|ours|we're|we've|мы|нас|нам|нами|наш\w*)\b", re.IGNORECASE)
YOU = re.compile(r"\b(?:you|your|yours|you're|you'll|вы|вас|вам|вами|ваш\w*)\b", re.IGNORECASE)
ATTRIBUTED = re.compile(
    r"\b(?:said|says|told|reported|according to|claimed|announced|added|wrote|stated|called|"
    r"official|police|minister|court|president)\b|"
    r"\b(?:сказал|сообщ|заяви|рассказал|отмети|подчеркну|по словам|по данным|добави|написал|"
    r"суд|полици|министр|президент|чиновник)",
    re.IGNORECASE,
)
CAPTION: tuple[tuple[re.Pattern[str], float], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), weight)
    for pattern, weight in (
        (
            r"\b(?:file|archive|undated|handout) (?:photo|picture|image)\b|\bархивн\w+ (?:фото|снимок)",
            3.0,
        ),
        (
            r"\b(?:in|on) this (?:\w+ ){0,5}(?:photo|picture|image|photograph)\b|\bна (?:фото|снимке)\b",
            3.0,
        ),
        (r"\b(?:photo|picture|image|credit|фото|снимок|иллюстрация)\s*[:/]|\bphoto by\b", 2.6),
        (
            r"\((?:l|r|c|left|right|centre|center|слева|справа|в центре)\)|\bpictured\b|\bfrom left\b",
            2.2,
        ),
        (r"(?:/|\||—|–)\s*(?:[A-Z]{2,6}|Reuters|Getty(?: Images)?|ТАСС|РИА Новости)\s*\.?$", 2.4),
        (r"\b[\w. ]{3,40} / [\w. ]{2,40}$", 1.6),
        (r"^\S+(?: \S+){0,8} (?:sits|stands|walks|speaks|looks|holds|poses|waves|gestures)\b", 1.2),
    )
)
CREDIT = re.compile(
    r"\s*(?:\(?\b(?:(?:photo|picture|image) by\s+|"
    r"(?:photo(?: credit)?|credit|picture|image|фото|снимок|автор фото)\s*[:/]\s*)"
    r"(?P<after>[^()]{2,80}?)\)?\.?|"
    r"(?:^|(?<=[.!?)»”]))\s+(?P<slash>[^.!?]{2,40} / [^.!?]{2,40}))\s*$",
    re.IGNORECASE,
)
QUOTED = re.compile(r"“[^”]*”|«[^»]*»|„[^“]*“|\"[^\"]*\"")
"""Words of others: what people say in quotation marks tells nothing of who writes."""
