# SPDX-License-Identifier: AGPL-3.0-or-later
"""Invented articles about an invented country, in three languages, long enough to look at."""

# ruff: noqa: E501 - long lines of prose.
from __future__ import annotations

BODY_EN = """
<p>The first report is two pages long and carries a date in March of last year. A line of rust-coloured ink, drawn freehand, marks a place on the hull just behind the third frame. “Visible without instruments,” the inspector wrote beside it. “Recommend the vessel does not sail in swell above two metres.”</p>
<p>The Selva sailed that same evening, in three metres, and on most evenings after it. The Harbour Lamp has read the three reports that the Maritime Register of Meridova kept on the ferry between that March and the night she sank with 41 people aboard. Each names the crack. Each was signed by a deputy director, stamped and put away in a folder called <em>Routine, second half</em>.</p>
<h2>Three signatures, one pen</h2>
<p>The owners, the Lantern Line company, have said since the day of the sinking that <a href="/en/2026/11/20/hull/">no fault was known to them</a>. But a copy of every report went to their office on Quay Street, according to the register’s own ledger of outgoing post, and two of the three came back with a reply. The replies are one sentence each. They thank the register for its attention.</p>
<blockquote class="pull"><p>We measured it with a ruler. A child could have measured it. After that it was somebody else’s paper.</p><cite>A former inspector at the Maritime Register</cite></blockquote>
<p>Two former inspectors, who asked that their names stay out of this story because both still have family in Port Selva, described how a finding became a formality. A report that could stop a ship needed three signatures within ten days. If the third was late, the file was moved to the half-year review, and the ship sailed. “The third was always late,” one of them said. “There was one pen for it, and it was on holiday.”</p>
<p>The ministry did not answer eleven questions that we sent on Tuesday. On Thursday its press office read out a statement over the telephone: the inquiry is continuing, and it would be wrong to anticipate what it finds. Asked whether the half-year review still exists, the spokesman said that he would have to look for the folder.</p>
<h3>What the ledger shows</h3>
<figure class="table"><table><caption>Reports on the Selva kept by the register</caption><thead><tr><th scope="col">Date</th><th scope="col">Length of the crack, cm</th><th scope="col">Days until filed</th><th scope="col">Sailings until the next</th></tr></thead><tbody><tr><th scope="row">12 March 2025</th><td>31</td><td>10</td><td>204</td></tr><tr><th scope="row">3 October 2025</th><td>44</td><td>11</td><td>187</td></tr><tr><th scope="row">29 April 2026</th><td>58</td><td>10</td><td>166</td></tr></tbody></table></figure>
<p>Between the first report and the last the crack grew by 27 centimetres. In the same time the company carried about 96,000 passengers, raised the fare twice, and painted the hull. The painter remembers the day well. He was told to use the thick brush.</p>
"""

EXTRAS_EN = """
<figure class="photo" data-photo="urn:newsroom:photo:2"></figure>
<p>Families of those who died have met every Sunday since August in the old net store by the harbour wall. They bring what they have: tickets, messages, a watch. What they ask for fits on one sheet of paper:</p>
<ul><li>the name behind the third signature;</li><li>the register’s ledger, whole and unbound;</li><li>a date for the hearing, before the winter timetable begins.</li></ul>
<div class="gallery"><figure class="photo" data-photo="urn:newsroom:photo:3"></figure><figure class="photo" data-photo="urn:newsroom:photo:4"></figure><p class="caption">The net store on two Sundays in November.</p></div>
<blockquote><p>It is our opinion that the vessel may continue in service until such time as the question is settled.</p></blockquote>
<p class="document" data-media="ni:///sha-256;aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"><a href="/media/aa/aa.pdf">The three inspection reports, with names removed</a> <small>PDF, 1.2 MB</small></p>
<aside class="box" data-stories="urn:a urn:b"><h2>How we got the ledger</h2><ul><li><a href="/en/2026/11/20/hull/">No fault was known, says the Lantern Line</a></li><li><a href="/en/2026/11/18/net-store/">Sundays in the net store</a></li></ul></aside>
<aside class="link"><a href="https://register.example/" rel="external noopener noreferrer"><strong>Rules for the inspection of passenger vessels</strong> <span>The register’s own handbook, as it stood in 2025</span> <small>register.example</small></a></aside>
<p>The hearing has been put off three times. A new date is to be announced in the Gazette, which has not appeared since the paper mill at Orrin closed.</p>
"""

BODY_RU = """
<p>Первый отчёт занимает две страницы и датирован мартом прошлого года. Линия ржавого цвета, проведённая от руки, отмечает место на корпусе сразу за третьим шпангоутом. «Видно без приборов, — приписал рядом инспектор. — Рекомендую не выпускать судно при волне выше двух метров».</p>
<p>«Сельва» вышла в море в тот же вечер при трёх метрах и выходила почти каждый вечер после него. «Портовый фонарь» прочитал три отчёта, которые Морской регистр Меридовы составил о пароме с того марта до ночи, когда он затонул с 41 человеком на борту. В каждом названа трещина. Каждый подписан заместителем директора, проштампован и убран в папку «Текущее, второе полугодие».</p>
<h2>Три подписи, одно перо</h2>
<p>Владельцы, компания «Линия фонаря», со дня крушения говорят, что <a href="/ru/2026/11/20/hull/">ни о каких неисправностях им известно не было</a>. Но копия каждого отчёта ушла в их контору на Причальной улице — так следует из книги исходящих писем самого регистра, — и на два из трёх пришёл ответ. Ответы по одному предложению каждый. В них регистр благодарят за внимание.</p>
<blockquote class="pull"><p>Мы измерили её линейкой. Её мог бы измерить ребёнок. Дальше это была уже чужая бумага.</p><cite>Бывший инспектор Морского регистра</cite></blockquote>
<p>Два бывших инспектора, попросившие не называть их имён, потому что у обоих в Порт-Сельве остались родные, рассказали, как находка превращается в формальность. Отчёт, способный остановить судно, требовал трёх подписей за десять дней. Если третья запаздывала, дело переносили в полугодовой обзор, и судно уходило в рейс. «Третья запаздывала всегда, — сказал один из них. — Для неё было одно перо, и оно было в отпуске».</p>
<p>Министерство не ответило на одиннадцать вопросов, которые мы отправили во вторник. В четверг его пресс-служба прочитала по телефону заявление: расследование продолжается, и неправильно было бы предвосхищать его выводы. На вопрос, существует ли ещё полугодовой обзор, представитель ответил, что ему надо поискать папку.</p>
<h3>Что видно из книги</h3>
<p>Между первым отчётом и последним трещина выросла на 27 сантиметров. За то же время компания перевезла около 96 тысяч пассажиров, дважды подняла цену билета и покрасила корпус. Маляр хорошо помнит тот день. Ему велели взять кисть потолще.</p>
<p>Семьи погибших с августа каждое воскресенье собираются в старом сетевом сарае у портовой стены. Они приносят то, что у них есть: билеты, сообщения, часы. То, чего они просят, умещается на одном листе: имя за третьей подписью, книгу регистра целиком и дату слушаний до того, как начнёт действовать зимнее расписание.</p>
<p>Слушания откладывали трижды. О новой дате обещано объявить в «Ведомостях», которые не выходят с тех пор, как закрылась бумажная фабрика в Оррине. В порту говорят, что бумага теперь нужна для другого: на пароме, который ходит вместо «Сельвы», каждому пассажиру выдают памятку о том, где лежат спасательные жилеты. Жилетов, по словам двух матросов, на всех не хватает, зато памяток отпечатали с запасом. Капитан порта просил передать, что он об этом слышит впервые, и записал наш телефон. Вечером он перезвонил сам, спросил, кто ещё об этом знает, и долго молчал в трубку. На следующее утро жилеты привезли, но ключ от ящика остался у боцмана, который вышел на пенсию весной.</p>
"""

BODY_AR = """
<p>التقرير الأول من صفحتين ويحمل تاريخًا في مارس من العام الماضي. خط بلون الصدأ، مرسوم باليد، يحدد موضعًا في بدن السفينة خلف الضلع الثالث مباشرة. كتب المفتش إلى جانبه: «يُرى من دون أجهزة. أوصي بألا تُبحر السفينة في موج يعلو مترين».</p>
<p>أبحرت «سيلفا» في المساء نفسه في موج من ثلاثة أمتار، وأبحرت في معظم المساءات التي تلته. قرأ «مصباح الميناء» التقارير الثلاثة التي احتفظ بها السجل البحري عن العبّارة بين ذلك الشهر والليلة التي غرقت فيها وعلى متنها 41 شخصًا.</p>
<h2>ثلاثة تواقيع وقلم واحد</h2>
<p>يقول المالكون منذ يوم الغرق إن <a href="/ar/2026/11/20/hull/">أي عطل لم يكن معروفًا لهم</a>. لكن نسخة من كل تقرير وصلت إلى مكتبهم في شارع الرصيف، وفق دفتر البريد الصادر في السجل نفسه.</p>
<blockquote class="pull"><p>قسناه بالمسطرة. كان في وسع طفل أن يقيسه. بعد ذلك صار ورقة غيرنا.</p><cite>مفتش سابق في السجل البحري</cite></blockquote>
<p>لم تُجب الوزارة عن أحد عشر سؤالًا أرسلناها يوم الثلاثاء. ويوم الخميس قرأ مكتبها الصحفي بيانًا عبر الهاتف: التحقيق مستمر، ومن الخطأ استباق ما سيصل إليه.</p>
"""

HEADLINES = {
    "en": [
        ("Ferry owners knew of the crack for a year, records show", "The Selva inquiry",
         "Inspectors reported a damaged hull three times before the Selva sank with 41 people aboard. Each report was signed, filed and forgotten."),
        ("Parliament votes to count absent members as in favour", "Politics",
         "The new rule passed with 61 votes, of which 24 were in the room."),
        ("Grain ships turn back at the Orrin strait as pilots stay home", "",
         "A third week without pay has closed the only deep channel to the north."),
        ("Teacher freed after 400 days says she will go back to her class", "Courts", ""),
        ("The central bank is out of small coins. Shops give matches instead", "", ""),
        ("Who owns the island’s lighthouses? A map, and nine companies with one address", "Investigation",
         "We asked the land registry for forty titles. It sent us one page, with a stamp where the name should be."),
        ("Night trains to the south run again, without lights", "", "Travellers bring their own lamps, and the conductor collects them at the border."),
        ("A censor’s notebook, found in a desk sold at auction", "Culture",
         "Two hundred pages of crossings-out show what frightened whom, and when."),
        ("Bread rises by a fifth; the official index does not notice", "Economy", "The loaf in the index has not been baked since 2019."),
        ("Fishermen of Little Wick refuse to buy the same licence twice", "", "The harbour office says the first one was a receipt."),
        ("“I printed it because it was true”: the last typesetter of Old Quay", "Interview", "At 84 he still sets one line a day."),
        ("Rain stops play, and the trial", "Courts", "The roof of the district court gave way during the second witness."),
        ("Three students fined for reading aloud on a tram", "", ""),
        ("Letters: what we miss, what we do not", "Letters", "Readers write from eleven countries."),
        ("Antidisestablishmentarianism and other words the ministry has retired from schoolbooks", "", ""),
        ("Harbour wall to be rebuilt in time for the anniversary of its collapse", "", ""),
    ],
    "ru": [
        ("Владельцы парома год знали о трещине: это следует из документов", "Расследование о «Сельве»",
         "Инспекторы трижды сообщали о повреждении корпуса до того, как «Сельва» затонула с 41 человеком на борту. Каждый отчёт подписали, подшили и забыли."),
        ("Парламент решил считать отсутствующих проголосовавшими «за»", "Политика",
         "Новое правило прошло 61 голосом, из них 24 были в зале."),
        ("Суда с зерном поворачивают обратно у пролива Оррин: лоцманы сидят дома", "",
         "Третья неделя без зарплаты закрыла единственный глубокий проход на север."),
        ("Учительница, вышедшая через 400 дней, хочет вернуться к своему классу", "Суд", ""),
        ("У центрального банка кончилась мелочь. В магазинах дают сдачу спичками", "", ""),
        ("Кому принадлежат маяки острова? Карта и девять фирм по одному адресу", "Расследование",
         "Мы запросили сорок выписок. Нам прислали одну страницу с печатью на месте имени."),
        ("Ночные поезда на юг снова ходят, но без света", "", "Пассажиры приносят лампы с собой."),
        ("Тетрадь цензора, найденная в проданном с аукциона столе", "Культура",
         "Двести страниц вычеркнутого показывают, кто, чего и когда боялся."),
        ("Хлеб подорожал на пятую часть, официальный индекс этого не заметил", "Экономика", ""),
        ("Рыбаки Малого Уика отказались покупать одну лицензию дважды", "", ""),
        ("«Я напечатал, потому что это правда»: последний наборщик Старой набережной", "Интервью", ""),
        ("Дождь прервал игру, а потом и суд", "Суд", ""),
        ("Трёх студентов оштрафовали за чтение вслух в трамвае", "", ""),
        ("Сельскохозяйственно-промышленные и другие слова, которые министерство убрало из учебников", "", ""),
    ],
    "ar": [
        ("مالكو العبّارة عرفوا بالشق قبل عام، كما تُظهر السجلات", "تحقيق سيلفا",
         "أبلغ المفتشون ثلاث مرات عن ضرر في البدن قبل أن تغرق «سيلفا» وعلى متنها 41 شخصًا. وُقّع كل تقرير وحُفظ ونُسي."),
        ("البرلمان يقرر احتساب الغائبين موافقين", "سياسة", "مرّ القرار بواحد وستين صوتًا، أربعة وعشرون منها في القاعة."),
        ("سفن الحبوب تعود أدراجها عند مضيق أورين", "", "أسبوع ثالث بلا أجور أغلق الممر العميق الوحيد إلى الشمال."),
        ("المعلمة المفرج عنها بعد 400 يوم تقول إنها ستعود إلى صفها", "محاكم", ""),
        ("نفدت العملات الصغيرة من المصرف المركزي", "", ""),
        ("من يملك منارات الجزيرة؟ خريطة وتسع شركات بعنوان واحد", "تحقيق", "طلبنا أربعين سندًا فأرسلوا إلينا صفحة واحدة."),
        ("قطارات الليل إلى الجنوب تسير من جديد بلا أضواء", "", ""),
        ("دفتر رقيب عُثر عليه في مكتب بيع بالمزاد", "ثقافة", ""),
    ],
}  # fmt: skip
