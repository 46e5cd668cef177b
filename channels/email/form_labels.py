"""The labels of site forms, as site builders and their owners write them, and what they mean."""

from __future__ import annotations

NAME, PHONE, EMAIL, MESSAGE, PAGE = "name", "phone", "email", "message", "page"

MEANINGS: dict[str, str] = {
    **dict.fromkeys(
        ("имя", "ваше имя", "фио", "ф.и.о", "ф.и.о.", "контактное лицо", "как вас зовут",
         "как к вам обращаться", "name", "имя клиента", "имя и фамилия", "your name", "your-name",
         "full name", "клиент", "заказчик", "first name", "автор", "отправитель", "от кого"),
        NAME,
    ),
    **dict.fromkeys(
        ("телефон", "ваш телефон", "тел", "тел.", "номер телефона", "контактный телефон",
         "мобильный телефон", "phone", "телефон для связи", "мобильный", "your phone", "your-phone",
         "phone number", "tel", "your-tel", "mobile", "номер", "телефон клиента", "whatsapp"),
        PHONE,
    ),
    **dict.fromkeys(
        ("e-mail", "email", "почта", "ваш e-mail", "ваш email", "электронная почта", "эл. почта",
         "эл.почта", "e-mail адрес", "адрес электронной почты", "ваша почта", "your email",
         "your-email", "email address", "mail", "емейл", "имейл", "e-mail автора", "email клиента", "e-mail клиента"),
        EMAIL,
    ),
    **dict.fromkeys(
        ("сообщение", "ваше сообщение", "комментарий", "вопрос", "ваш вопрос", "текст сообщения",
         "текст", "комментарии", "комментарий к заказу", "message", "your message", "your-message",
         "comment", "comments", "textarea", "пожелания", "описание", "суть вопроса",
         "сообщение клиента", "текст заявки"),
        MESSAGE,
    ),
    **dict.fromkeys(
        ("страница", "адрес страницы", "url", "page", "ссылка", "страница сайта",
         "отправлено со страницы", "page url", "страница отправки", "source url", "referer",
         "referrer", "url страницы", "со страницы", "ссылка на страницу"),
        PAGE,
    ),
}  # fmt: skip
# What site builders write behind the visitor's words.
ENDS = frozenset(
    {"transaction id", "block id", "form name", "form id", "форма", "название формы", "id формы", "ip",
     "ip адрес", "ip-адрес", "дата", "время", "дата и время", "date", "time", "user agent", "браузер", "сайт",
     "город", "тема", "товар", "услуга", "additional information", "request details", "дополнительная информация",
     "cookie", "cookies", "roistat", "client id"}
)  # fmt: skip
