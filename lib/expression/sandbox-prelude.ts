/**
 * JavaScript that runs inside the sandbox before any expression. It is a text, not a function: it must not refer to anything
 * of this process and must survive bundling unchanged.
 */

/**
 * `Date` in the workflow's time zone, through two functions of the host: milliseconds east of UTC at an instant, and the instant
 * of a wall clock's time. moment knows zones only through `Date`, so it follows.
 */
export const DATE_SOURCE = `(function (global, offsetAt, toInstant) {
  var Native = Date, P = Native.prototype;
  var getTime = P.getTime, setTime = P.setTime, nativeParse = Native.parse, UTC = Native.UTC, toISO = P.toISOString;
  function wall(date) { var t = getTime.call(date); return new Native(t + offsetAt(t)); }
  function define(target, name, value) {
    Object.defineProperty(target, name, { value: value, writable: true, configurable: true, enumerable: false });
  }
  ['FullYear', 'Month', 'Date', 'Day', 'Hours', 'Minutes', 'Seconds', 'Milliseconds'].forEach(function (unit) {
    var get = P['getUTC' + unit], set = P['setUTC' + unit];
    define(P, 'get' + unit, function () { return get.call(wall(this)); });
    if (set) define(P, 'set' + unit, function () {
      var local = unit === 'FullYear' && isNaN(getTime.call(this)) ? new Native(0) : wall(this);
      return setTime.call(this, toInstant(set.apply(local, arguments)));
    });
  });
  define(P, 'getYear', function () { return this.getFullYear() - 1900; });
  define(P, 'setYear', function (year) { year = +year; return this.setFullYear(year >= 0 && year <= 99 ? year + 1900 : year); });
  define(P, 'getTimezoneOffset', function () { var t = getTime.call(this); return isNaN(t) ? NaN : -offsetAt(t) / 60000; });

  function pad(number) { return (number < 10 ? '0' : '') + number; }
  function guarded(format) {
    return function () { return isNaN(getTime.call(this)) ? 'Invalid Date' : format(wall(this), this); };
  }
  var DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
  var MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
  function dateText(w) {
    return DAYS[w.getUTCDay()] + ' ' + MONTHS[w.getUTCMonth()] + ' ' + pad(w.getUTCDate()) + ' ' + w.getUTCFullYear();
  }
  function timeText(w, date) {
    var minutes = offsetAt(getTime.call(date)) / 60000, size = Math.floor(Math.abs(minutes));
    return toISO.call(w).slice(-13, -5) + ' GMT' + (minutes < 0 ? '-' : '+') + pad(Math.floor(size / 60)) + pad(size % 60);
  }
  function localeDate(w) { return (w.getUTCMonth() + 1) + '/' + w.getUTCDate() + '/' + w.getUTCFullYear(); }
  function localeTime(w) {
    var hour = w.getUTCHours();
    return (hour % 12 || 12) + ':' + pad(w.getUTCMinutes()) + ':' + pad(w.getUTCSeconds()) + (hour < 12 ? ' AM' : ' PM');
  }
  define(P, 'toDateString', guarded(dateText));
  define(P, 'toTimeString', guarded(timeText));
  define(P, 'toString', guarded(function (w, date) { return dateText(w) + ' ' + timeText(w, date); }));
  define(P, 'toLocaleDateString', guarded(localeDate));
  define(P, 'toLocaleTimeString', guarded(localeTime));
  define(P, 'toLocaleString', guarded(function (w) { return localeDate(w) + ', ' + localeTime(w); }));

  function parse(text) {
    text = String(text).trim();
    if (/^[+-]?\\d{4,6}(-\\d\\d(-\\d\\d)?)?$/.test(text)) return nativeParse(text);
    if (/(\\b(Z|UTC|GMT|UT|[ECMP][SD]T)|\\dZ|[+-]\\d\\d(:?\\d\\d)?)(\\s*\\(.*\\))?$/i.test(text)) return nativeParse(text);
    return toInstant(nativeParse(/\\dT\\d/.test(text) ? text + 'Z' : text + ' GMT'));
  }
  function ZonedDate(year, month) {
    if (!(this instanceof ZonedDate)) return new Native().toString();
    if (arguments.length === 0) return new Native();
    if (arguments.length > 1) return new Native(toInstant(UTC.apply(null, arguments)));
    var value = year instanceof Native ? getTime.call(year) : year;
    if (value !== null && typeof value === 'object') {
      var plain = value.valueOf();
      value = plain !== null && typeof plain === 'object' ? String(value) : plain;
    }
    return new Native(typeof value === 'string' ? parse(value) : value);
  }
  Object.defineProperty(ZonedDate, 'name', { value: 'Date' });
  ZonedDate.prototype = P;
  define(P, 'constructor', ZonedDate);
  define(ZonedDate, 'UTC', UTC);
  define(ZonedDate, 'now', Native.now);
  define(ZonedDate, 'parse', parse);
  define(global, 'Date', ZonedDate);
})`;

/**
 * Methods of java.lang.String that strings have in digdag's engine besides JavaScript's own, if ES5 has none of the same name. replaceAll,
 * replaceFirst and matches take a regular expression's text, as Java's do. Not here: what needs a Java object (getBytes, chars), and what
 * JavaScript has had since (startsWith, repeat), with the same meaning.
 */
export const STRING_SOURCE = `(function () {
  var nativeReplaceAll = String.prototype.replaceAll;
  function expression(text, flags) {
    text = String(text);
    var inline = /^\\(\\?([ims]+)\\)/.exec(text);
    if (inline) { text = text.slice(inline[0].length); flags += inline[1]; }
    return new RegExp(text.replace(/([*+?}])\\+/g, '$1').replace(/\\\\Q([\\s\\S]*?)\\\\E/g, function (_, quoted) {
      return quoted.replace(/[\\\\^$.*+?()[\\]{}|\\/]/g, '\\\\$&');
    }), flags);
  }
  function javaReplacement(text) {
    text = String(text);
    return function () {
      var groups = arguments;
      return text.replace(/\\\\([\\s\\S])|\\$(\\d)|\\$\\{(\\w+)\\}/g, function (_, escaped, index, name) {
        if (escaped !== undefined) return escaped;
        var value = index !== undefined ? groups[+index] : groups[groups.length - 1][name];
        return value === undefined ? '' : value;
      });
    };
  }
  var methods = {
    replaceAll: function (pattern, replacement) {
      if (pattern instanceof RegExp || typeof replacement === 'function') return nativeReplaceAll.call(this, pattern, replacement);
      return String(this).replace(expression(pattern, 'g'), javaReplacement(replacement));
    },
    replaceFirst: function (pattern, replacement) {
      return String(this).replace(expression(pattern, ''), javaReplacement(replacement));
    },
    matches: function (pattern) { return new RegExp('^(?:' + expression(pattern, '').source + ')$', expression(pattern, '').flags).test(this); },
    contains: function (text) { return String(this).indexOf(String(text)) !== -1; },
    equals: function (other) { return (typeof other === 'string' || other instanceof String) && String(this) === String(other); },
    equalsIgnoreCase: function (other) { return other != null && String(this).toUpperCase() === String(other).toUpperCase(); },
    isEmpty: function () { return this.length === 0; },
    isBlank: function () { return String(this).trim() === ''; },
    strip: function () { return String(this).trim(); },
    compareTo: function (other) {
      var a = String(this), b = String(other), shorter = Math.min(a.length, b.length);
      for (var i = 0; i < shorter; i++) if (a.charCodeAt(i) !== b.charCodeAt(i)) return a.charCodeAt(i) - b.charCodeAt(i);
      return a.length - b.length;
    },
    compareToIgnoreCase: function (other) { return String(this).toUpperCase().toLowerCase().compareTo(String(other).toUpperCase().toLowerCase()); },
    hashCode: function () {
      for (var hash = 0, i = 0; i < this.length; i++) hash = (hash * 31 + this.charCodeAt(i)) | 0;
      return hash;
    }
  };
  Object.keys(methods).forEach(function (name) {
    Object.defineProperty(String.prototype, name, { value: methods[name], writable: true, configurable: true, enumerable: false });
  });
})`;

/** `random` is the host's. The engine's own state is put back after each expression, so every expression would get the same numbers. */
export const MATH_SOURCE = `(function (random) {
  Object.defineProperty(Math, 'random', { value: function () { return random(); }, writable: true, configurable: true, enumerable: false });
})`;

/** Gives the function that evaluates one scalar and answers its text as JSON (which keeps NUL and lone surrogates). */
export const EVALUATE_SOURCE = `(function () {
  var parse = JSON.parse, stringify = JSON.stringify, F = Function, apply = Reflect.apply;
  function text(value) { return value == null ? '' : typeof value === 'string' ? value : stringify(value); }
  return function (source, scope) { return stringify(apply(new F('__text', source), parse(scope), [text])); };
})`;
