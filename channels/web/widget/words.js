// What the window says, in two languages.

const MB = Math.floor(S.size / 1048576);
const WORDS = {
  ru: {
    open: "Открыть чат", close: "Закрыть чат", title: "Напишите нам", here: "На связи", away: "Сейчас мы не работаем",
    back: (at) => `Ответим ${at}`, hello: "Здравствуйте! Чем можем помочь?", type: "Напишите сообщение…", send: "Отправить",
    file: "Прикрепить файл", emoji: "Смайлы", log: "Переписка", lost: "Нет связи. Восстанавливаем…", sending: "Отправляется…", failed: "Не отправлено.",
    again: "Повторить", busy: "Слишком часто. Отправим чуть позже.",
    ask: "Оставьте контакт, чтобы мы ответили, даже если вы закроете страницу. Это необязательно.",
    off: "Оставьте сообщение и контакт. Мы ответим, когда начнём работать.", name: "Имя", reach: "Телефон или почта",
    text: "Сообщение", later: "Не сейчас", thanks: "Спасибо! Мы свяжемся с вами.", need: "Укажите телефон или почту.",
    said: "Напишите, пожалуйста, сообщение.", big: `Файл больше ${MB} МБ.`, bad: "Такой файл отправить нельзя.",
    agree: "Отправляя, вы соглашаетесь с ", policy: "обработкой данных", today: "Сегодня", yesterday: "Вчера",
    fresh: "Новое сообщение", you: "Вы", auto: "Автоответ", unread: (n) => `, непрочитанных: ${n}`,
    writes: " печатает…"
  },
  en: {
    open: "Open the chat", close: "Close the chat", title: "Write to us", here: "We are here", away: "We are closed now",
    back: (at) => `We answer ${at}`, hello: "Hello! How can we help?", type: "Write a message…", send: "Send",
    file: "Attach a file", emoji: "Emoji", log: "Conversation", lost: "No connection. Trying again…", sending: "Sending…", failed: "Not sent.",
    again: "Try again", busy: "Too fast. It will be sent a little later.",
    ask: "Leave a contact, so that we can answer even if you close the page. This is optional.",
    off: "Leave a message and a contact. We will answer as soon as we are open.", name: "Name", reach: "Telephone or e-mail",
    text: "Message", later: "Not now", thanks: "Thank you! We will get in touch.", need: "Enter a telephone number or an e-mail.",
    said: "Please write a message.", big: `The file is larger than ${MB} MB.`, bad: "Such a file can't be sent.",
    agree: "By sending you agree to ", policy: "the processing of your data", today: "Today", yesterday: "Yesterday",
    fresh: "New message", you: "You", auto: "Automatic answer", unread: (n) => `, ${n} unread`,
    writes: " is typing…"
  },
};
const lang = (D.lang || document.documentElement.lang || navigator.language || "ru").slice(0, 2).toLowerCase() === "ru" ? "ru" : "en";
const L = WORDS[lang];

const on = (node, names, act) => names.split(" ").forEach((name) => node.addEventListener(name, act));
