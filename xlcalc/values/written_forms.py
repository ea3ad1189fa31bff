"""How a document number, a website's registration, a postal code, a web address and an e-mail address are written."""

from __future__ import annotations

import re

from xlcalc.values.text import squeeze

_PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_DOCUMENT = re.compile(r"[\u4e00-\u9fff][〔\[(【](?:19|20)\d{2}[〕\])】]\d{1,5}号")
_REGISTRATION = re.compile(
    rf"[{_PROVINCES}](?:ICP备\d{{5,10}}号(?:-\d{{1,4}}[A-Z]?)?|公网安备\d{{14}}号?)", re.IGNORECASE
)
_POSTAL = re.compile(r"\d{6}")
_ADDRESS = re.compile(r"(?:https?://)?(?:[\w-]+\.)+[a-z]{2,}(?::\d{1,5})?(?:[/?#]\S*)?", re.IGNORECASE)
_MAIL = re.compile(r"[\w.+-]+@(?:[\w-]+\.)+[a-z]{2,}", re.IGNORECASE)


def problem_of_document_number(text: str) -> str | None:
    """Why a text names no official document (发文字号), in Chinese, or None; the title may stand beside the number.

    >>> problem_of_document_number("关于认定示范平台的通知（某工信字〔2021〕12号）")
    >>> problem_of_document_number("某工信字2021年12号")
    '“某工信字2021年12号”中没有形如“某字〔2021〕12号”的文号'
    """
    found = squeeze(text)
    return None if _DOCUMENT.search(found) else f"“{found[:40]}”中没有形如“某字〔2021〕12号”的文号"


def problem_of_registration(text: str) -> str | None:
    """Why a text is no registration of a website (备案号), in Chinese, or None.

    >>> problem_of_registration("鲁ICP备 12345678号-1")
    >>> problem_of_registration("ICP12345678")
    '“ICP12345678”不是形如“鲁ICP备12345678号-1”的备案号'
    """
    found = squeeze(text)
    return None if _REGISTRATION.fullmatch(found) else f"“{found[:40]}”不是形如“鲁ICP备12345678号-1”的备案号"


def problem_of_postal_code(text: str) -> str | None:
    """Why a text is no postal code, in Chinese, or None.

    >>> problem_of_postal_code("０10000"), problem_of_postal_code("10000")
    (None, '“10000”不是6位邮政编码')
    """
    found = squeeze(text)
    return None if _POSTAL.fullmatch(found) else f"“{found[:40]}”不是6位邮政编码"


def problem_of_web_address(text: str) -> str | None:
    """Why a text is no web address, in Chinese, or None.

    >>> problem_of_web_address("www.example.com/a?b=1"), problem_of_web_address("示例平台")
    (None, '“示例平台”不是网址')
    """
    found = squeeze(text)
    return None if _ADDRESS.fullmatch(found) else f"“{found[:40]}”不是网址"


def problem_of_mail_address(text: str) -> str | None:
    """Why a text is no e-mail address, in Chinese, or None.

    >>> problem_of_mail_address("a.b＠example.com"), problem_of_mail_address("a.b example.com")
    (None, '“a.bexample.com”不是电子邮箱')
    """
    found = squeeze(text)
    return None if _MAIL.fullmatch(found) else f"“{found[:40]}”不是电子邮箱"
