// Emoji shortcodes a bot is likely to use.

import { h } from "./dom.js";

const SIGNS = `
white_check_mark ✅|heavy_check_mark ✔️|ballot_box_with_check ☑️|x ❌|negative_squared_cross_mark ❎|no_entry ⛔|no_entry_sign 🚫
warning ⚠️|rotating_light 🚨|octagonal_sign 🛑|stop_sign 🛑|exclamation ❗|heavy_exclamation_mark ❗|question ❓|bangbang ‼️|sos 🆘
red_circle 🔴|large_red_circle 🔴|large_orange_circle 🟠|orange_circle 🟠|large_yellow_circle 🟡|yellow_circle 🟡|large_green_circle 🟢|green_circle 🟢
large_blue_circle 🔵|blue_circle 🔵|large_purple_circle 🟣|white_circle ⚪|black_circle ⚫|large_green_square 🟩|large_red_square 🟥|large_yellow_square 🟨
white_large_square ⬜|black_large_square ⬛|large_blue_square 🟦|large_orange_square 🟧|small_blue_diamond 🔹|small_orange_diamond 🔸
baby_chick 🐤|hatching_chick 🐣|hatched_chick 🐥|bird 🐦|chicken 🐔|turtle 🐢|rabbit2 🐇|bug 🐛|lady_beetle 🐞|whale 🐳
rocket 🚀|ship 🚢|hammer 🔨|hammer_and_wrench 🛠️|wrench 🔧|gear ⚙️|package 📦|label 🏷️|lock 🔒|unlock 🔓|key 🔑|shield 🛡️|test_tube 🧪|microscope 🔬
chart_with_upwards_trend 📈|chart_with_downwards_trend 📉|bar_chart 📊|clipboard 📋|memo 📝|pencil 📝|pencil2 ✏️|page_facing_up 📄|file_folder 📁
mag 🔍|mag_right 🔎|eyes 👀|eye 👁️|see_no_evil 🙈|speech_balloon 💬|loudspeaker 📢|mega 📣|bell 🔔|no_bell 🔕|bulb 💡|book 📖|books 📚|link 🔗|pushpin 📌|round_pushpin 📍
hourglass ⌛|hourglass_flowing_sand ⏳|stopwatch ⏱️|timer_clock ⏲️|alarm_clock ⏰|clock1 🕐|clock3 🕒|clock12 🕛|watch ⌚|calendar 📅|date 📅
arrow_up ⬆️|arrow_down ⬇️|arrow_right ➡️|arrow_left ⬅️|arrow_upper_right ↗️|arrow_lower_right ↘️|leftwards_arrow_with_hook ↩️|arrow_right_hook ↪️
arrows_counterclockwise 🔄|arrows_clockwise 🔃|repeat 🔁|rewind ⏪|fast_forward ⏩|arrow_forward ▶️|arrow_backward ◀️|double_vertical_bar ⏸️|pause_button ⏸️
black_square_for_stop ⏹️|stop_button ⏹️|black_right_pointing_double_triangle_with_vertical_bar ⏭️|heavy_plus_sign ➕|heavy_minus_sign ➖|heavy_multiplication_x ✖️
tada 🎉|sparkles ✨|star ⭐|star2 🌟|fire 🔥|boom 💥|zap ⚡|snowflake ❄️|umbrella ☔|sunny ☀️|cloud ☁️|rainbow 🌈|trophy 🏆|medal 🏅|dart 🎯|checkered_flag 🏁|triangular_flag_on_post 🚩
+1 👍|thumbsup 👍|-1 👎|thumbsdown 👎|ok_hand 👌|wave 👋|raised_hands 🙌|clap 👏|pray 🙏|muscle 💪|point_right 👉|point_left 👈|point_up ☝️|point_down 👇|raised_hand ✋|handshake 🤝
smile 😄|smiley 😃|grinning 😀|slightly_smiling_face 🙂|wink 😉|joy 😂|thinking_face 🤔|neutral_face 😐|confused 😕|disappointed 😞|worried 😟|cry 😢|sob 😭|scream 😱|sweat_smile 😅|sunglasses 😎|partying_face 🥳|robot_face 🤖|ghost 👻|skull 💀
heart ❤️|green_heart 💚|yellow_heart 💛|blue_heart 💙|broken_heart 💔|information_source ℹ️|sleeping 😴|zzz 💤|construction 🚧|traffic_light 🚦|vertical_traffic_light 🚦|satellite 🛰️|globe_with_meridians 🌐
computer 💻|desktop_computer 🖥️|floppy_disk 💾|electric_plug 🔌|battery 🔋|thermometer 🌡️|scales ⚖️|balance_scale ⚖️|bust_in_silhouette 👤|busts_in_silhouette 👥|technologist 🧑‍💻|cop 👮|crossed_flags 🎌|coffee ☕|beer 🍺|cake 🍰|shopping_cart 🛒|shopping_trolley 🛒|credit_card 💳|moneybag 💰|wastebasket 🗑️|recycle ♻️|infinity ♾️|new 🆕|up 🆙|ok 🆗|free 🆓|100 💯|one 1️⃣|two 2️⃣|three 3️⃣|four 4️⃣|five 5️⃣|zero 0️⃣`;

const KNOWN = new Map(
  SIGNS.trim().split(/[|\n]/).map((pair) => {
    const cut = pair.indexOf(" ");
    return [pair.slice(0, cut), pair.slice(cut + 1)];
  }),
);

const SHAPE = /^(?:large_)?(red|orange|yellow|green|blue|purple|white|black)_(circle|square)$/;

/** Draw an emoji by its name, or nothing if it is not known. */
export function emoji(name, unicode = "") {
  const shape = SHAPE.exec(name);
  if (shape) {
    // Drawn, so that a status has its colour on systems without an emoji font.
    const label = name.replaceAll("_", " ");
    return h("span", { class: `dot ${shape[1]} ${shape[2]}`, role: "img", "aria-label": label, title: `:${name}:` });
  }
  const points = unicode.split("-").filter(Boolean).map((part) => parseInt(part, 16));
  const valid = points.length && points.every((point) => point > 0 && point <= 0x10ffff);
  const sign = valid ? String.fromCodePoint(...points) : KNOWN.get(name);
  if (!sign) return null;
  return h("span", { class: "emoji", role: "img", "aria-label": name.replaceAll("_", " "), title: `:${name}:` }, sign);
}

/** Replace the shortcodes in words that have no other markup. */
export function withEmoji(text) {
  return text.split(/(:[a-z0-9_+'-]+:)/).map((part) => (/^:.+:$/.test(part) && emoji(part.slice(1, -1))) || part);
}
