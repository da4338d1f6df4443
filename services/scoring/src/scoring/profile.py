"""Points for who a person is: fields that forms said, and the domain of the email. Pure."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scoring.prospect import Prospect
    from scoring.rule_parts import ProfileRule

_FREE_MAIL = """
    126.com 139.com 163.com abv.bg aim.com alice.it aliyun.com aol.com arcor.de att.net bbox.fr
    bellsouth.net bigpond.com bk.ru bluewin.ch bol.com.br bt.com btinternet.com centrum.cz charter.net
    comcast.net cox.net daum.net duck.com earthlink.net email.com email.cz fastmail.com fastmail.fm
    foxmail.com free.fr freemail.hu freenet.de gmail.com gmx.at gmx.ch gmx.com gmx.de gmx.net gmx.us
    googlemail.com hanmail.net hey.com hotmail.ch hotmail.co.uk hotmail.com hotmail.com.br hotmail.de
    hotmail.es hotmail.fr hotmail.it hotmail.nl hushmail.com icloud.com inbox.com inbox.eu inbox.lv
    inbox.ru interia.pl juno.com keemail.me kpnmail.nl laposte.net libero.it list.ru live.co.uk live.com
    live.de live.fr live.nl luukku.com mac.com mail.com mail.de mail.ru mailbox.org me.com msn.com
    mynet.com naver.com netscape.net ntlworld.com o2.pl onet.pl online.de op.pl optonline.net
    optusnet.com.au orange.fr outlook.com outlook.com.br outlook.de outlook.es outlook.fr outlook.it
    planet.nl pm.me posteo.de proton.me protonmail.ch protonmail.com qq.com rambler.ru rediffmail.com
    rocketmail.com sapo.pt sbcglobal.net seznam.cz sfr.fr sina.com sky.com skynet.be sohu.com
    t-online.de talktalk.net telenet.be tim.it tin.it tiscali.it tuta.io tutanota.com ukr.net uol.com.br
    verizon.net virgilio.it virgin.net virginmedia.com vodafone.it wanadoo.fr web.de windowslive.com
    wp.pl xtra.co.nz ya.ru yahoo.ca yahoo.co.in yahoo.co.jp yahoo.co.uk yahoo.com yahoo.com.ar
    yahoo.com.au yahoo.com.br yahoo.com.mx yahoo.de yahoo.es yahoo.fr yahoo.in yahoo.it yandex.com
    yandex.com.tr yandex.ru yeah.net ymail.com ziggo.nl zoho.com
"""
FREE_MAIL = frozenset(_FREE_MAIL.split())
"""Domains at which anybody may have an address."""


def domain_of(email: str | None) -> str:
    """What follows the @; empty without an email."""
    return email.rpartition("@")[2] if email else ""


def is_excluded(email: str | None, domains: frozenset[str]) -> bool:
    """Whether the email's domain is one of these, or below one."""
    domain = domain_of(email)
    while domain and domain not in domains:
        domain = domain.partition(".")[2]
    return bool(domain)


def met_profile(prospect: "Prospect", rules: Sequence["ProfileRule"]) -> list["ProfileRule"]:
    """Those of the rules that the prospect meets now."""
    return [r for r in rules if all(m.met_by(_told(prospect, asked)) for asked, m in r.when.items())]


def _told(prospect: "Prospect", asked: str) -> Iterable[str | bool | None]:
    if asked == "email_domain":
        return (domain_of(prospect.email) or None,)
    if asked == "free_mail":
        return (domain_of(prospect.email) in FREE_MAIL if prospect.email else None,)
    said = prospect.fields.get(asked)
    return (said.value if said else None,)
