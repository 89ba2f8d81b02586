-- Every table of the warehouse from the five blobs. Ratings are added up as whole millionths, so that sums are exact.
create schema raw;
create schema metrics;
create macro read_blob(blob, names_and_types) as table
    from read_csv(getvariable('blobs') || '/' || blob || '.tsv', delim = '\t', quote = '', escape = '', header = true,
        nullstr = ['\N', ''], auto_detect = false, columns = names_and_types);

create table raw.ratings as from read_blob('ratings', {tconst: 'varchar', averageRating: 'double', numVotes: 'integer'});
create table raw.titles as from read_blob('titles', {tconst: 'varchar', titleType: 'varchar', primaryTitle: 'varchar',
    originalTitle: 'varchar', isAdult: 'smallint', startYear: 'smallint', endYear: 'smallint', runtimeMinutes: 'integer',
    genres: 'varchar'});
create table raw.crew as from read_blob('crew', {tconst: 'varchar', directors: 'varchar', writers: 'varchar'});
create table raw.names as from read_blob('names', {nconst: 'varchar', primaryName: 'varchar', birthYear: 'smallint',
    deathYear: 'smallint', primaryProfession: 'varchar', knownForTitles: 'varchar'});
create table raw.cast as from read_blob('cast', {tconst: 'varchar', ordering: 'smallint', nconst: 'varchar', category: 'varchar',
    job: 'varchar', characters: 'varchar'});

create table titles as select * exclude (genres) replace (coalesce(isAdult, 1) <> 0 as isAdult) from raw.titles;
create table names as select nconst, primaryName, birthYear, deathYear from raw.names;
create table ratings as from raw.ratings;
create table "cast" as select * exclude (characters) from raw.cast;
create table characters as
    select tconst, ordering, nconst, unnest(list) as "character", generate_subscripts(list, 1) as position
    from (select *, from_json(characters, '["VARCHAR"]') as list from raw.cast where characters is not null);
create table actors as
    select distinct tconst, nconst from raw.cast where category in ('actor', 'actress') and nconst is not null;


create macro place(list, element) as list_position(list, element)::smallint;
create table directors as
    select distinct tconst, nconst, place(list, nconst) as position
    from (select tconst, list, unnest(list) as nconst from (select tconst, string_split(directors, ',') as list from raw.crew))
    where nconst <> '';
create table writers as
    select distinct tconst, nconst, place(list, nconst) as position
    from (select tconst, list, unnest(list) as nconst from (select tconst, string_split(writers, ',') as list from raw.crew))
    where nconst <> '';
create table genres as
    select distinct tconst, genre
    from (select tconst, unnest(string_split(genres, ',')) as genre from raw.titles) where genre <> '';
create table professions as
    select distinct nconst, profession, place(list, profession) as position
    from (select nconst, list, unnest(list) as profession
        from (select nconst, string_split(primaryProfession, ',') as list from raw.names))
    where profession <> '';
create table known_for as
    select distinct nconst, tconst, place(list, tconst) as position
    from (select nconst, list, unnest(list) as tconst
        from (select nconst, string_split(knownForTitles, ',') as list from raw.names))
    where tconst <> '';

create macro millionths(rating) as round(rating * 1000000)::bigint;
create macro mean_of(total, number) as case when number > 0 then total::double / (number * 1000000)::double end;

create table metrics.director_performance as
    select nconst, tconst, averageRating, numVotes from directors join ratings using (tconst);
create table metrics.writer_performance as
    select nconst, tconst, averageRating, numVotes from writers join ratings using (tconst);
create table metrics.actor_performance as
    select nconst, tconst, averageRating, numVotes from actors join ratings using (tconst);
create table metrics.known_for_success as
    select nconst, count(*) as knownTitles, mean_of(sum(millionths(averageRating)), count(averageRating)) as knownAverageRating,
        sum(numVotes) as knownNumVotes
    from known_for join ratings using (tconst) group by nconst;
create table metrics.comparison as
    select tconst, nconst, primaryName, director, writer, actor, primaryTitle, averageRating, numVotes, knownAverageRating,
        knownNumVotes
    from (
        select tconst, nconst, max(director) as director, max(writer) as writer, max(actor) as actor,
            any_value(averageRating) as averageRating, any_value(numVotes) as numVotes
        from (
            select *, 1 as director, 0 as writer, 0 as actor from metrics.director_performance
            union all select *, 0, 1, 0 from metrics.writer_performance
            union all select *, 0, 0, 1 from metrics.actor_performance)
        group by tconst, nconst)
        join titles using (tconst) join names using (nconst) left join metrics.known_for_success using (nconst);
create table metrics.title_success as
    with counted as (
        select tconst, sum(director) as directorCount, sum(writer) as writerCount, sum(actor) as actorCount
        from (
            select tconst, 1 as director, 0 as writer, 0 as actor from metrics.director_performance
            union all select tconst, 0, 1, 0 from metrics.writer_performance
            union all select tconst, 0, 0, 1 from metrics.actor_performance)
        group by tconst)
    select tconst, averageRating, numVotes,
        (millionths(averageRating) * numVotes + 6900000::bigint * 1000)::double / ((numVotes + 1000)::bigint * 1000000)::double
            as weightedRating,
        titleType, startYear, startYear // 10 * 10 as decade, coalesce(directorCount, 0) as directorCount,
        coalesce(writerCount, 0) as writerCount, coalesce(actorCount, 0) as actorCount
    from ratings left join titles using (tconst) left join counted using (tconst);
create table metrics.person_success as
    with part as (
        select nconst, tconst, 'director' as role from metrics.director_performance
        union all select nconst, tconst, 'writer' from metrics.writer_performance
        union all select nconst, tconst, 'actor' from metrics.actor_performance
        union all (
            select nconst, tconst, 'any' from metrics.director_performance
            union select nconst, tconst, 'any' from metrics.writer_performance
            union select nconst, tconst, 'any' from metrics.actor_performance))
    select nconst, role, count(*) as titles, mean_of(sum(millionths(averageRating)), count(averageRating)) as averageRating,
        mean_of(sum(millionths(averageRating) * numVotes), sum(numVotes) filter (averageRating is not null)) as voteWeightedRating,
        sum(numVotes) as numVotes,
        case when count(weightedRating) > 0
            then count(*) filter (weightedRating >= 7.5) / count(weightedRating)::double end as hitShare,
        arg_min(tconst, (-weightedRating, tconst)) filter (weightedRating is not null) as bestTconst,
        min(startYear) as firstYear, max(startYear) as lastYear
    from part join metrics.title_success using (tconst) group by nconst, role;
create table metrics.collaborations as
    with pair as (
        select director.nconst as directorNconst, actor.nconst as actorNconst, count(*) as titles,
            mean_of(sum(millionths(director.averageRating)), count(director.averageRating)) as averageRating
        from metrics.director_performance as director join metrics.actor_performance as actor using (tconst)
        where director.nconst <> actor.nconst group by all having count(*) >= 2)
    select pair.*, pair.averageRating - director.averageRating as directorUplift,
        pair.averageRating - actor.averageRating as actorUplift
    from pair
        left join metrics.person_success as director on director.nconst = directorNconst and director.role = 'director'
        left join metrics.person_success as actor on actor.nconst = actorNconst and actor.role = 'actor';
create table metrics.genre_success as
    select genre, titleType, decade, count(*) as titles,
        mean_of(sum(millionths(averageRating)), count(averageRating)) as averageRating,
        mean_of(sum(millionths(averageRating) * numVotes), sum(numVotes) filter (averageRating is not null)) as voteWeightedRating,
        sum(numVotes) as numVotes
    from genres join metrics.title_success using (tconst) group by genre, titleType, decade;
