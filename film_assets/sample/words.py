"""The words the sample's people, films, characters and jobs are made of. All invented; no film or person is meant.

Belongs here: word lists, in several scripts, and weighted vocabularies. Does not belong here: how words are put together
(``phrases``) or who gets which (``frames``).
"""
# ruff: noqa: RUF001 - letters of other scripts that look like Latin ones are the point

from typing import NamedTuple


class Script(NamedTuple):
    """The words of one script: given names of women and of men, family names, and the two halves of a film's title."""

    women: str
    men: str
    families: str
    heads: str
    tails: str
    gap: str = " "


LATIN_WOMEN = (
    "Ada Aino Alma Amélie Ana Anneke Astrid Beatriz Birgit Camila Carla Chiara Chloë Clara Dagmar Daniela Denisa Dorota Edith "
    "Elena Elif Emilia Erin Eszter Eva Fiona Freya Gabriela Gemma Giulia Grace Greta Hana Hélène Ida Ilse Inés Ingrid Irena "
    "Isabel Ivana Jana Joana Johanna Julia Karin Katarína Kaya Laima Lara Laura Leïla Lena Linnéa Liv Lucía Ludmila Magda Maja "
    "Margit Maria Marta Mary Milena Mina Mireia Nadia Naomi Nina Noémie Nora Olga Paula Petra Pilar Renata Rosa Ruth Sara Selma "
    "Siobhán Sofia Solveig Susan Tamara Tereza Thea Ursula Valeria Vera Wanda Yasmin Yvonne Zofia Zuzana"
)
LATIN_MEN = (
    "Aaron Adam Ádám Alan Albert Aleksander André Anton Arne Arthur Bálint Bastian Ben Björn Bruno Carlos César Christian Dario "
    "David Deniz Diego Dmitri Édouard Emil Erik Esteban Fabio Felix Filip Frank François Georg Gianni Gustav Håkon Hans Henrik "
    "Hugo Ian Igor Ivo Jack Jakub Jan Javier Jean Jens Joaquín Johan John José Jonas Jürgen Karel Kenji Kevin Lars László Léo "
    "Luca Luis Łukasz Marc Marek Martin Mateo Matti Max Michael Miguel Miloš Nikola Nuno Olaf Ole Omar Oskar Pablo Paolo Paul "
    "Pedro Peter Piotr Rafael Ralph René Robert Sándor Sean Simon Søren Stefan Sven Tariq Théo Thomas Tomáš Uwe Viktor Wim Yusuf "
    "Zoltán"
)
LATIN_STEMS = (
    "Albe Amar Anders Aster Balt Barn Bel Berg Bjerr Bor Brank Brei Cal Carr Cast Cler Cor Dalm Dar Del Dorn Drag Eber Eld Erl "
    "Falk Fen Fer Fjell Gal Gar Gold Grim Hal Hart Havel Hol Horn Ild Jank Jor Kal Kast Kell Kor Kron Lam Lar Lind Lor Mal Mar "
    "Mel Mont Mor Nar Nev Nor Ober Or Oster Pal Par Pell Quin Rad Ram Rav Ros Sal San Sel Sil Stav Sten Tal Tor Ulv Val Var Vel "
    "Vest Vol Wal West Wil Zel"
)
LATIN_ENDINGS = (
    "a acz ado ai al and ano ard aux avić berg bo by court dahl dal do dorf é eau ek ell en er ero escu ez feld ford gaard gård "
    "ham holm i ian iak ić ini kov ley lund man mann mark mont nen ný o oğlu ola ón őcz ov quist rey ri rud sen ska ski son stad "
    "strøm ström ton ún uš vall vik ward well wood yn ža"
)

OTHER_SCRIPTS = (
    Script(
        "Анна Вера Галина Дарья Екатерина Ирина Ксения Людмила Мария Надежда Ольга Полина Светлана Юлия",
        "Алексей Борис Виктор Григорий Дмитрий Егор Иван Константин Лев Михаил Николай Олег Павел Сергей",
        "Берёзко Ветрин Горелых Дубравин Ельник Жаворонко Зимнюк Каменко Лесняк Морозюк Озеров Полынко Речкин Снегирюк Туманко",
        "Последний Тихий Старый Дальний Зимний Ночной Первый Забытый Белый Чужой",
        "берег город дом поезд мост сад рассвет голос экзамен дождь остров сигнал",
    ),
    Script(
        "Άννα Βασιλική Δάφνη Ελένη Ζωή Ιωάννα Κατερίνα Μαρία Νεφέλη Σοφία",
        "Αλέξης Γιάννης Δημήτρης Ηλίας Θάνος Κώστας Λευτέρης Νίκος Πέτρος Σπύρος",
        "Αλμυρίδης Βοριάδης Γαλανάκης Ελαιώνης Θαλασσινός Καστρινός Λιβαδίτης Μελισσάς Πετρωτός Φεγγαράς",
        "Το Τελευταίο|Το Παλιό|Ένα Μικρό|Το Χαμένο|Το Άσπρο|Ένα Ξένο",
        "Καράβι Νησί Σπίτι Καλοκαίρι Τραγούδι Ταξίδι Φεγγάρι Γράμμα",
    ),
    Script(
        "美玲 雅婷 思琪 雨桐 静怡 晓燕 若兰 慧敏",
        "志强 伟明 建国 浩然 文博 俊杰 子轩 天宇",
        "林 周 沈 陆 顾 江 叶 白 秦 方 石 温",
        "最后的 遥远的 寂静的 冬天的 第二个 蓝色的 无名的 雨中的",
        "车站 河流 夏天 来信 图书馆 月亮 旅人 灯塔 邻居 故乡",
        gap="",
    ),
    Script(
        "あかり さくら ひなた みゆき ゆい 千尋 和子 美咲",
        "けんた たける はると ひろし 健二 大輔 直樹 翔太",
        "青柳 朝倉 海野 霧島 小鳥遊 篠原 月岡 野々村 氷室 雪村",
        "最後の 遠い 静かな 雨の 名もなき 青い 冬の 夜の",
        "手紙 電車 夏休み 約束 図書室 灯台 さよなら カフェ ピアノ 帰り道",
        gap="",
    ),
    Script(
        "서연 지우 하은 민서 수아 예린 은지 유나",
        "민준 도윤 지호 현우 준서 태양 성민 우진",
        "강 고 남 문 배 서 신 안 윤 임 한 홍",
        "마지막 조용한 먼 겨울의 두번째 이름없는 푸른 새벽의",
        "기차 편지 바다 여름 약속 골목 노래 이웃 등대 정원",
    ),
    Script(
        "अनन्या आरती काव्या दीपा नेहा प्रिया मीरा सुनीता",
        "अर्जुन अमित किरण राहुल रोहन विजय संजय सूरज",
        "आकाशी उपवनी झरनेकर दीपांकर पर्वतिया बादलकर मधुवन सागरकर",
        "आखिरी पुराना नीला दूसरा अनजान छोटा पहला",
        "शहर घर रास्ता सपना गीत मौसम वादा सफर",
    ),
    Script(
        "أمل ريم سلمى فاطمة ليلى مريم نور هند",
        "أحمد حسن خالد سامي عمر كريم محمود ياسين",
        "البحري الجبلي الرملي السهلي الغيمي القمري النجمي الوادي",
        "آخر أول عودة ظل حكاية صوت",
        "الطريق البحر المدينة الشتاء القمر الغريب البيت الليل",
    ),
    Script(
        "יעל נועה תמר רות שירה מיכל",
        "אורי דוד יונתן נדב עמית רועי",
        "אלמוגי בן־חוף גלבועי הררי כוכבי נחלי ערבתי שקדי",
        "הלילה הקיץ הבית המכתב הגשר",
        "האחרון הרחוק הישן השקט הכחול",
    ),
)

ADJECTIVES = (
    "Amber Broken Crooked Distant Electric Empty Fading Forgotten Frozen Gentle Glass Golden Hidden Hollow Honest Idle Infinite "
    "Iron Last Little Lonely Long Lost Midnight Missing Modern Northern Other Painted Paper Patient Perfect Private Quiet "
    "Restless Reluctant Second Secret Seventh Silent Silver Sleeping Slow Stolen Strange Stubborn Sunken Unfinished Unlikely "
    "Velvet Wandering White Wild Young"
)
NOUNS = (
    "Alibi Apartment Archive Bargain Beekeeper Bell Border Bridge Carnival Cathedral Clockmaker Comet Confession Corridor "
    "Courier Crossing Daughter Detour Diary Echo Elevator Engine Evidence Farewell Ferry Festival Fog Garden Ghost Guest Harbour "
    "Harvest Heir Holiday Horizon Hotel Inheritance Inventor Island Journey Kitchen Labyrinth Landlord Lantern Letter Library "
    "Lighthouse Locksmith Machine Map Melody Mirror Mistake Moon Mountain Neighbour Night Oath Orchard Orchestra Passenger "
    "Photograph Pilot Promise Proposal Quarry Radio Reunion Rival River Room Rumour Sailor Satellite Season Shadow Signal "
    "Silence Sister Station Storm Stranger Summer Teacher Telegram Theatre Tide Tiger Train Tunnel Umbrella Verdict Village "
    "Violin Visitor Voyage Wedding Whistle Widow Window Winter Witness Workshop"
)
PLACES = (
    "Ålesund Aranmore Bergamo Bratislava Cádiz Constanța Córdoba Dovre Évora Galway Gdańsk Genoa Göteborg Kaunas Kraków Lisbon "
    "Łódź Málaga Marrakesh Nantes Orkney Oulu Plzeň Porto Pécs Québec Riga São Luís Split Tartu Tromsø Ulm Valparaíso Vigo Zürich"
)
EPISODE_TITLES = (
    "Pilot|Finale|Part One|Part Two|The Beginning|Reunion|Highlights|Round 4|Day 12|Live from the Studio|Clip Show|"
    "Christmas Special"
)
ODD_TITLES = (
    "2468|007 and a Half|1.5|NULL|null|nan|-|#|?|100%|N/A|3:33|'71 Summers|  Two Blanks Ahead|A Blank Behind |Tail\\Slash|"
    'Half "Quote|"Unbalanced from the Start|"Fully Quoted"|Comma, Semicolon; and | Pipe|🎬 Take 2|Zero\u200bWidth|Ça va? "Non!"|'
    '""|\'|a'
)

ROLES = (
    "Agent|Aunt|Bartender|Butler|Captain|Clerk|Coach|Cook|Dancer|Detective|Doctor|Driver|Farmer|Father|Fisherman|Gardener|"
    "Girl in Café|Guard|Host|Innkeeper|Journalist|Judge|King|Lawyer|Librarian|Major|Mayor|Mother|Narrator|Neighbour|Nurse|"
    "Officer|Old Man|Passenger|Pilot|Police Officer|Priest|Professor|Queen|Receptionist|Reporter|Sailor|Secretary|Sergeant|"
    "Singer|Soldier|Student|Tailor|Teacher|Thief|Tourist|Waiter|Waitress|Witness|Various Characters|Additional Voices"
)
SELF_NOTES = (
    "|| - Host| - Guest| - Presenter| - Contestant| - Correspondent| - Judge| - Musical Guest| - Anchor| - Interviewee|"
    ' - Panelist| (segment \\"Today\\")| (archive footage)| - Co-Host, Reporter| - Newsreader| - Commentator'
)
ODD_CHARACTERS = (
    ('Johnny \\"Two Hats\\" ', "Vex, the Elder"),
    ('\\"Duke\\", ', "the Dog"),
    ('Dr. Moll, PhD","Mrs. Moll","', "Moll's Ghost"),
    ("Caf\\u00e9 ", "Owner"),
    ("\\u041a\\u043e\\u0440\\u043e\\u043b\\u044c ", "Lear-ish"),
    ("Königin ", "Zoë"),
    ("Дед ", "Мороз"),
    ("旅人 ", "壱"),
    ("Back\\\\slash ", "A\\/B"),
    ("[Voice] ", "{Radio}"),
    ("1st Thief, ", "Left"),
    ("Smile \\ud83d\\ude00 ", "🙂"),
    ('Self","Various","', "Third One"),
    ("", ""),
)

JOBS = {
    "director": 'co-director|segment director|series director|director of "The Frame"',
    "writer": (
        "written by|screenplay|created by|story|writer|creator|dialogue|head writer|story by|teleplay|adaptation|script editor|"
        'novel|based on the novel "Low Tide" by|"Picturized By", i.e., screenplay|characters|original idea|play "Noon"|'
        "screenplay and story"
    ),
    "producer": (
        "producer|executive producer|co-producer|associate producer|line producer|supervising producer|series producer|"
        "producer: Oslo unit"
    ),
    "composer": "music by|songs|original score|musical director",
    "editor": "film editor|supervising editor|editor|online editor",
    "cinematographer": 'director of photography|camera|second unit "B" camera',
    "production_designer": "production designer|art direction",
    "casting_director": 'casting|casting director|extras "casting"',
}

GENRES = {
    "Drama": 31, "Comedy": 22, "Talk-Show": 15, "Documentary": 11, "News": 11, "Romance": 11, "Family": 9, "Reality-TV": 7.5,
    "Animation": 6.5, "Action": 5.5, "Crime": 5.5, "Adventure": 5, "Game-Show": 5, "Music": 5, "Sport": 3, "Fantasy": 2.8,
    "Mystery": 2.8, "Horror": 2.5, "Thriller": 2.5, "History": 2, "Sci-Fi": 1.7, "Biography": 1.3, "Musical": 1,
    "War": 0.4, "Western": 0.4,
}  # fmt: skip
