"""Documents that the tests upload, made here so that their facts and places are known."""

import io
import zipfile

HARBOUR = """# Harbour handbook

## Opening hours

The harbour office opens at 07:30 and closes at 18:15 from Monday to Saturday. On Sundays the
office stays closed, and calls go to the pilot station.

## Fees

A berth for a yacht under twelve metres costs 34 euros a night. Longer yachts pay 52 euros a night.
Members of the Saltmarsh Sailing Club pay half of the fee.

## Safety

The storm barrier closes when the water stands 2.9 metres above the harbour datum. The harbour
master for this season is Ingrid Solheim, who answers on channel 12.
"""

OUTAGES = """Outage report of the Tarn Valley power plants

The Elm Street plant had the longest outage of the year: it stood still for 61 days after a cracked
turbine casing was found in March. The Quarry Road plant lost 14 days to a flooded transformer.
The Mill Lane plant ran without an outage.

The casing of the Elm Street turbine was replaced by Borealis Turbines for 1,840,000 euros. The
insurance paid 1,200,000 euros of that sum in September.
"""

TEA = """<!doctype html><html><head><title>Tea garden notes</title><style>p{color:red}</style></head>
<body><h1>Tea garden notes</h1>
<p>The upper terrace grows <b>Meghamalai</b> tea, which is picked every nine days.</p>
<p>The drying room is kept at 38 degrees, and a batch dries for fourteen hours.</p>
<script>var hidden = "not part of the text";</script>
</body></html>
"""

RATES = """region,product,rate
north,barley,211
north,oats,187
south,barley,198
south,lentils,305
"""

LIMITS = '{"service": "gatehouse", "limits": {"visitors_per_day": 420, "dogs_per_visitor": 2}}\n'

# One code point may be one to four bytes, and a letter may be two code points.
UNICODE = (
    "Multilingual notice 🦙\n\n"
    "The lighthouse keeper is called Zoë Ångström. Her llama 🦙 is named Cuzco.\n\n"
    "灯塔的高度是四十二米。看守人每天晚上点亮灯。\n\n"
    "يبلغ ارتفاع المنارة اثنين وأربعين مترا.\n\n"
    "The cafe\u0301 beside the lighthouse sells 𝔤othic bread for 7 crowns.\n"
)

DOCUMENTS = {
    "harbour.md": HARBOUR.encode("utf-8"),
    "outages.txt": OUTAGES.encode("utf-8"),
    "tea.html": TEA.encode("utf-8"),
    "rates.csv": RATES.encode("utf-8"),
    "limits.json": LIMITS.encode("utf-8"),
    "notice.txt": UNICODE.encode("utf-8"),
}

# (question, words of the right quote, file)
QUESTIONS = [
    ("Which plant had the longest outage?", "Elm Street", "outages.txt"),
    ("Who is the harbour master for this season?", "Ingrid Solheim", "harbour.md"),
    ("When does the harbour office open?", "07:30", "harbour.md"),
    ("How often is Meghamalai tea picked?", "nine days", "tea.html"),
    ("What is the lighthouse keeper called?", "Zoë Ångström", "notice.txt"),
]
# Nothing of this is in any document above.
UNANSWERABLE = [
    "Which orchestra premiered the violin concerto of the Peruvian composer?",
    "How many moons does the planet Neptune have?",
]


def pdf(pages):
    """A PDF of one Helvetica text line per list item and page. ASCII without brackets only."""
    objects = []

    def add(body):
        objects.append(body)
        return len(objects)

    catalog = add(b"")
    tree = add(b"")
    font = add(b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
    kids = []
    for lines in pages:
        text = "BT /F1 12 Tf 72 720 Td 16 TL " + " ".join("(%s) Tj T*" % s for s in lines) + " ET"
        stream = text.encode("ascii")
        content = add(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
        kids.append(add(
            b"<< /Type /Page /Parent %d 0 R /MediaBox [0 0 612 792] /Contents %d 0 R "
            b"/Resources << /Font << /F1 %d 0 R >> >> >>" % (tree, content, font)))
    objects[catalog - 1] = b"<< /Type /Catalog /Pages %d 0 R >>" % tree
    objects[tree - 1] = b"<< /Type /Pages /Count %d /Kids [%s] >>" % (
        len(kids), b" ".join(b"%d 0 R" % k for k in kids))
    out = io.BytesIO()
    out.write(b"%PDF-1.4\n")
    places = []
    for number, body in enumerate(objects, 1):
        places.append(out.tell())
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    start = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    for place in places:
        out.write(b"%010d 00000 n \n" % place)
    out.write(b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
              % (len(objects) + 1, start))
    return out.getvalue()


MANUAL_PAGES = [
    ["Windmill manual", "The windmill was built in 1794 by the carpenter Jakob Brandt."],
    ["Care of the sails", "The sails are oiled with linseed oil every sixteen weeks."],
    ["Grinding", "One sack of rye weighs seventy kilograms and gives sixty-one kilograms of flour."],
]


def manual_pdf():
    """Three pages; each has one fact of its own."""
    return pdf(MANUAL_PAGES)


def docx(paragraphs):
    """A Word file of plain paragraphs; those that begin with `# ` are headings."""
    body = []
    for text in paragraphs:
        style = ""
        if text.startswith("# "):
            text, style = text[2:], '<w:pPr><w:pStyle w:val="Heading1"/></w:pPr>'
        escaped = text.replace("&", "&amp;").replace("<", "&lt;")
        body.append('<w:p>%s<w:r><w:t xml:space="preserve">%s</w:t></w:r></w:p>' % (style, escaped))
    space = "http://schemas.openxmlformats.org"
    files = {
        "[Content_Types].xml":
            '<?xml version="1.0" encoding="UTF-8"?><Types xmlns="%s/package/2006/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.'
            'relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>'
            '<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-'
            'officedocument.wordprocessingml.document.main+xml"/></Types>' % space,
        "_rels/.rels":
            '<?xml version="1.0" encoding="UTF-8"?><Relationships xmlns="%s/package/2006/'
            'relationships"><Relationship Id="r1" Type="%s/officeDocument/2006/relationships/'
            'officeDocument" Target="word/document.xml"/></Relationships>' % (space, space),
        "word/document.xml":
            '<?xml version="1.0" encoding="UTF-8"?><w:document xmlns:w="%s/wordprocessingml/2006/'
            'main"><w:body>%s</w:body></w:document>' % (space, "".join(body)),
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return out.getvalue()


def bulk(seed, paragraphs=2000):
    """A text that takes a moment to parse and index; the same for the same seed."""
    words = ("amber basalt cedar delta ember fjord garnet hazel indigo juniper kelp larch moss "
             "nickel ochre pearl quartz rowan slate thistle umber vetch willow yarrow zinc").split()
    state = seed * 2654435761 % 2**32 or 1
    out = []
    for number in range(paragraphs):
        line = ["Paragraph %d of volume %d:" % (number, seed)]
        for _ in range(40):
            state = (state * 1103515245 + 12345) % 2**31
            line.append(words[(state >> 16) % len(words)] + str((state >> 8) % 97))
        out.append(" ".join(line) + ".")
    return "\n\n".join(out).encode("utf-8")


BROKEN_PDF = b"%PDF-1.7\nthis is no document\n%%EOF\n"
