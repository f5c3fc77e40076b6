/// Ordinary messages, with numbers, dots and at signs that are not contact details.
enum OrdinarySentences {
    static let all: [String] = """
        I'm 29 and 183 cm
        I am 34, born 1991.
        3.14 is pi, 2.718 is e
        e.g. this
        i.e. nothing else
        well...ok
        well...maybe. Yes
        meet at 8.30
        at 8.30 or 9?
        We could meet at 8.30 p.m. at the bar.
        at the bar
        me @ the bar
        I was at the bar on the corner until 2 a.m.
        look at me
        look at that dot on the map
        at this point it is late
        at some point we should meet
        There is no point at all.
        what is the point
        The point is, I like you.
        10 is fine, so is 11
        12 euros, or 12.50 with the drink
        It costs $1,299.00, not $1,499.00.
        1,000,000 thanks
        There are 1.400.000 people in this city.
        The city has 1.234.567 inhabitants.
        A flat here costs 1 200 000 now, crazy.
        I'd need 5000000 to buy that house.
        see you on 12.05.2026 19:30
        2026-05-12
        2026-05-12 18:30
        the party is on 2026-05-12, 18:30-22:00
        12.05.26 18:30 works for me
        from 12.05.2026 to 14.05.2026
        12.05.-14.05.2026 I'm away
        I lived there 2015-2019
        I lived there 2015 - 2019, then here
        between 1990 and 1995
        1990/1991 was a cold winter
        I studied from 2010 to 2014 and worked until 2020.
        at 18:30, then 20:15
        open 10:30-12:00 and 13:00-18:30
        open 10.30-12.00
        18:30 or 19:00 or 20:00?
        The score was 21:19, 19:21, 21:17.
        6:4, 3:6, 7:5
        183/78/29
        180 - 75 - 31
        90-60-90
        24/7
        50/50
        1/2 or 3/4
        2+2=4
        1 2 3 4 5 6
        one or two of us
        one two three four
        meet me at eight
        nineteen ninety five was a good year
        twenty-nine, nearly thirty
        I have two cats, one dog and three fish.
        oh oh oh oh oh oh oh oh
        55555555
        hahaha 1111111
        Yes!!! 100 %
        100% sure, 50% scared
        That was a 10/10 evening
        Straße 12, 10115 Berlin
        I live in 10115 Berlin
        Hauptstraße 17a, 3. Stock
        221b Baker Street
        5th Avenue, 42nd floor
        bus 100, 200 and N7
        Take the U2 to Pankow, then the M1.
        flight LH 2034 at 14:05
        platform 9 3/4
        room 101
        iPhone 15 or Pixel 9?
        I drive a Golf 7 from 2016
        A 2 x 3 m rug
        size 42, or 8.5 US
        1.83 m and 78 kg
        I'm 6'1" tall
        5'9, brown eyes
        42.195 km in 3:45:10
        I ran 10 km in 48:30!
        a 7.5 out of 10
        -5 °C in March
        20°C. It was nice
        version 2.0 of me
        Windows 11, Python 3.12
        4K, 60 fps, 1080p
        3 × 4 = 12
        #1 fan
        No. 5
        No.1
        @you
        Ph.D. in maths
        U.S.A. or U.K.?
        a.m. or p.m.?
        z.B. am See
        d.h. morgen
        usw. usf.
        p. ej. mañana
        p.ex. demain
        np. jutro
        tzn. dzisiaj
        nice.Really
        I love it. Tell me more
        Hmm... me too
        Yes. It is.
        No. At home.
        Sure. Be there soon.
        Ok. De nada.
        Wait... what?
        so... at eight?
        yes/no/maybe
        and/or
        he/him
        black-and-white photos
        a well-known 80-year-old actor
        an 800-year-old church
        a 1-800 number is old school
        there were 1 800 people
        0800 hours, sharp
        The train leaves at 0815.
        007 is my hero
        agent 007, James Bond
        99 problems
        a 4-day week
        B2B sales, sadly
        I work in 3D animation
        MP3s and H2O
        gr8, see you l8r
        4ever young
        just 4 u
        w8 4 me
        lol, so good
        I'm not on Instagram.
        I deleted Instagram last year
        Do you use Instagram?
        Instagram is boring
        I like your insta stories
        WhatsApp groups are the worst
        I prefer talking here to WhatsApp
        Do you like Telegram better?
        a Discord server for board games
        oh snap
        oh snap, that was fun
        it was a snap decision
        a snap of my dog
        signal the waiter, please
        drop me a line
        what a line!
        the line is long today
        on line 2 of the metro
        Facebook is dead
        TikTok dances are not my thing
        I never understood Twitter
        Skype is what my parents use
        I teach yoga online
        I work for a small company in town.
        com on, really?
        net worth: unknown
        my dog's name is Dot
        polka dot dress
        dot your i's
        connect the dots
        information about me
        dev by day, cook by night
        app developer
        shop till you drop
        info: I'm shy
        I play cello. Not well.
        To be or not to be
        it's me, Mario
        Berlin, de facto
        Ich bin 29 und 1,83 m groß.
        Wir treffen uns um 20.15 Uhr.
        Am 3.5. um 18 Uhr?
        Am 12.5.2026 habe ich Zeit.
        Vom 1. bis 14. August bin ich weg.
        Das kostet 1.299,00 €.
        zwischen 10.000 und 20.000 Schritte
        drei, vier, fünf, vielleicht sechs
        eins, zwei, drei, los
        Ich bin am Punkt angekommen.
        Punkt acht bin ich da
        auf den Punkt gebracht
        im Grunde ja
        Ich wohne in der Straße 5, 2. Stock links.
        J'ai 31 ans et je mesure 1,75 m
        Rendez-vous à 20 h 30 ?
        à 20h30 au bar
        un point de vue intéressant
        à quel point de la ville ?
        le 14 juillet 2026
        ça coûte 12,50 €
        un, deux, trois, soleil
        une ou deux fois
        Tengo 28 años y mido 1,70
        a las 20:30 en el bar
        Nos vemos el 5 de mayo de 2026.
        punto de encuentro
        uno, dos, tres
        cuesta 1.500 pesos
        Ho 33 anni e sono alto 1,80
        alle 20.30 al bar
        punto di vista
        due o tre volte
        costa 12,90 euro
        Tenho 27 anos e 1,68 m
        às 20h30 no bar
        ponto de encontro
        um, dois, três
        Ik ben 30 en 1,78 lang
        om 20.30 uur in de bar
        een, twee, drie
        een punt van aandacht
        Mam 26 lat i 175 cm
        o 20:30 w barze
        raz, dwa, trzy
        Jag är 32 och 180 cm
        klockan 20.30 på baren
        ett, två, tre
        på något sätt
        Мне 29 лет, рост 183 см.
        Хорошо.со мной
        в 20:30 у бара
        Точка зрения
        раз, два, три
        С 2015 по 2019 я жил в Москве.
        29歳、身長183センチです。
        8時30分に会いましょう。
        2026年5月12日の19時30分
        いちにさん、ダー！
        映画・音楽・ゲームが好きです
        そうですね。いいですよ。
        ランチ・ディナー、どちらでも。
        我有一个问题
        我今年二十九岁
        三 people
        二〇二六年五月十二日
        一二三四五
        一生一世，三心二意
        서른 살이고 키는 183입니다.
        오후 8시 30분에 만나요.
        이 일은 사실 오래 걸려요
        나이는 29, 키는 175
        عمري 29 سنة وطولي 183 سم
        نلتقي الساعة 8:30
        ٢٩ سنة
        אני בן 29, גובה 183
        ב־20:30 ליד הבר
        मेरी उम्र 29 साल है
        शाम 8:30 बजे
        ผมอายุ 29 สูง 183
        เจอกัน 20.30 น.
        55555 ตลกมาก
        Yirmi dokuz yaşındayım
        saat 20.30'da
        Είμαι 29 και 1,83
        Tôi 29 tuổi, cao 1m70
        🇩🇪 and 🇫🇷 are home
        ❤️❤️❤️ 1️⃣ 2️⃣ 3️⃣
        🎂 30 🎉
        ½ cup, ¾ spoon
        25 m² with a balcony
        CO₂ is bad
        ™ and © are signs
        (me) and (you)
        [at] least I tried
        *at* last!
        5 * 4 = 20
        x² + y² = z²
        a@b is not what I meant
        A, B, C, D
        I give it a 9. Or a 10.
        I paid 15.99, 24.99 and 9.99.
        On 3/4 or 5/4?
        10-15 minutes, 20 at most
        3-4 times a week
        2 or 3, 4 or 5
        Lat 52.52, lon 13.40
        Chapter 3, page 217
        Mt 5,3
        Ps. 23, 1-6
        born 12/10/1995
        10/12/95
        Christmas is 24.12., New Year's Eve 31.12.
        from 24.12. to 06.01.
        07:30 - 16:00, 08:00 - 17:00
        €1.200-1.500 a month
        $100,000 - $200,000
        15 000 km by bike
        the year 2000
        Y2K
        1984 by Orwell
        2001: A Space Odyssey
        Fahrenheit 451
        Blink-182
        Catch-22
        Apollo 11
        U2 and UB40
        7-Eleven
        12.05.2026/14.05.2026
        Ok..... see you at 8 ..... or 9
        plus, I like it
        two plus two is four
        A B C, easy as 1 2 3
        I D K
        My gmail is full
        Gmail is down
        Netflix・映画・TV
        4b or 7c, I forget
        a 10k run and a 5k walk
        1h30m
        Hello😀How are you
        c'est 8h30 ou 9h45
        K-pop, J-pop
        TGIF!!! 🎉🎉🎉
        Where are you at? Be honest.
        Home at last. It was long.
        """.split(separator: "\n").map(String.init)
}
