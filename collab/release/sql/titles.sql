-- CASE, not if(): DuckDB 1.4 and 1.5 know no function of that name in a macro that 2.0 stored.
-- Finding a title. The report's search box does the same in assets/titles.js; tests/titles.py holds
-- the cases that both must answer alike.

CREATE MACRO fold(words) AS
    trim(regexp_replace(regexp_replace(regexp_replace(
        replace(replace(replace(replace(replace(
            translate(lower(strip_accents(words)), 'øłđðħı', 'olddhi'),
            'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th'), '&', ' and '),
        '[''’‘ʼ´`′]', '', 'g'), '\b([a-z])\.', '\1', 'g'), '[^\pL\pN]+', ' ', 'g'));
COMMENT ON MACRO fold IS 'Text as find_movie compares it: lower case, no accents, apostrophes and punctuation, initials joined, & as and, ø as o, ß as ss. SELECT fold(''Amélie!'') is amelie';

CREATE MACRO article_first(title) AS
    regexp_replace(regexp_replace(title,
        '^(.+), (The|An?|L[eao]s?|L[''’]|Une?|Una|El|Il|I|Gli|Uno|Der|Die|Das|Den|Eine?|De|Det|Het|En|Ett?|Os?|As|Uma?)( \(|$)',
        '\2 \1\3', 'i'), '^(L[''’]) ', '\1', 'i');
COMMENT ON MACRO article_first IS 'A title with its article moved to the front: ''Lambs, The (1991)'' is The Lambs (1991), ''Avventura, L'''''' is L''Avventura';

-- What movies.title_folded holds. Names are what stands outside brackets, what stands in each pair, and all
-- together; each as it stands, with its article in front and without it, and with apostrophes and
-- dots as spaces, so that d'Amélie is found by amelie and L.A. by l a.
CREATE MACRO fold_title(title) AS
    '| ' || array_to_string(list_transform(list_sort(list_distinct(list_filter(list_transform(
        flatten(list_transform(
            [regexp_replace(title, ' *\([^()]*\)', '', 'g'),
             regexp_replace(title, ' *\(\d{4}[^()]*\) *$', '')]
            || list_transform(
                list_filter(regexp_extract_all(title, '\(([^()]*)\)', 1),
                            lambda name: NOT regexp_matches(name, '^\d{4}')),
                lambda name: regexp_replace(name, '^(a\.?k\.?a\.?) +', '', 'i')),
            lambda name: [name, article_first(name),
                          CASE WHEN article_first(name) = name THEN name ELSE regexp_replace(name, ', [^,()]+$', '') END,
                          regexp_replace(article_first(name), '[''’.]', ' ', 'g')])),
        lambda name: fold(name)), lambda name: name <> ''))),
        lambda name: concat_ws(' ', name, nullif(regexp_extract(title, '\((\d{4})[^()]*\) *$', 1), ''))),
        ' | ') || ' |';
COMMENT ON MACRO fold_title IS 'A title as movies.title_folded holds it: each of its names folded, with the year, between bars';

-- how well a folded query fits a folded title; NULL: not. Words fit from their beginning on
CREATE MACRO title_fit(folded, words) AS CASE
    WHEN words = '' OR NOT list_bool_and(list_transform(
        string_split(words, ' '), lambda word: contains(folded, ' ' || word))) THEN NULL
    WHEN contains(folded, '| ' || words || ' |')
      OR contains(folded, '| ' || words || ' ' || right(folded, 6)) THEN 1
    WHEN contains(folded, '| ' || words) THEN 2
    WHEN contains(folded, ' ' || words) THEN 3
    ELSE 4 END;
COMMENT ON MACRO title_fit IS 'How well a folded query fits a value of movies.title_folded: 1 it is a title, 2 begins one, 3 stands in one, 4 its words do, in any order; NULL: it does not';

CREATE MACRO find_movie(q) AS TABLE
WITH asked AS MATERIALIZED (
    SELECT try_cast(q::VARCHAR AS INTEGER) AS id,
           CASE WHEN typeof(q) = 'VARCHAR' THEN fold(article_first(q::VARCHAR)) ELSE '' END AS words)
SELECT movie_id, item_id, title, release_year, genres, n_ratings,
       (CASE WHEN movie_id = id THEN 1 ELSE title_fit(title_folded, words) END)::UTINYINT AS fit
FROM movies, asked
WHERE fit IS NOT NULL
ORDER BY fit, n_ratings DESC, movie_id;
COMMENT ON MACRO TABLE find_movie IS 'All movies that a title, a part of one or its words in any order fit, whatever accents, case and apostrophes, or the movie of an id; fit: 1 is the title itself, see title_fit; best fit first, then most rated. FROM find_movie(''silence of the lambs'')';

CREATE MACRO close_titles(q, k := 3) AS TABLE
WITH asked AS MATERIALIZED (SELECT fold(article_first(q::VARCHAR)) AS words),
near AS (
    SELECT movie_id, item_id, title, n_ratings, list_max(list_transform(
        string_split(replace(title_folded, ' ' || right(title_folded, 6), ' |')[3:-3], ' | '),
        lambda name: jaro_winkler_similarity(name, words)))::FLOAT AS likeness
    FROM movies, asked)
SELECT movie_id, item_id, title, n_ratings, likeness FROM near
WHERE likeness >= 0.85
ORDER BY likeness DESC, n_ratings DESC, movie_id
LIMIT k;
COMMENT ON MACRO TABLE close_titles IS 'The k movies whose titles are spelt most like a text, for when find_movie finds none; likeness is Jaro and Winkler''s, at least 0.85. FROM close_titles(''Alein'')';
