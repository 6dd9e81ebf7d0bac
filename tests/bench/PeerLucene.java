import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.core.WhitespaceTokenizer;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.LongPoint;
import org.apache.lucene.document.NumericDocValuesField;
import org.apache.lucene.document.SortedSetDocValuesField;
import org.apache.lucene.document.StringField;
import org.apache.lucene.document.TextField;
import org.apache.lucene.facet.Facets;
import org.apache.lucene.facet.FacetsCollector;
import org.apache.lucene.facet.FacetsConfig;
import org.apache.lucene.facet.range.LongRange;
import org.apache.lucene.facet.range.LongRangeFacetCounts;
import org.apache.lucene.facet.sortedset.DefaultSortedSetDocValuesReaderState;
import org.apache.lucene.facet.sortedset.SortedSetDocValuesFacetCounts;
import org.apache.lucene.facet.sortedset.SortedSetDocValuesReaderState;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.DocValues;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.NumericDocValues;
import org.apache.lucene.index.SerialMergeScheduler;
import org.apache.lucene.index.Term;
import org.apache.lucene.search.BooleanClause.Occur;
import org.apache.lucene.search.BooleanQuery;
import org.apache.lucene.search.FieldDoc;
import org.apache.lucene.search.FuzzyQuery;
import org.apache.lucene.search.IndexOrDocValuesQuery;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.PhraseQuery;
import org.apache.lucene.search.PrefixQuery;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.RegexpQuery;
import org.apache.lucene.search.Sort;
import org.apache.lucene.search.SortField;
import org.apache.lucene.search.SortedSetSortField;
import org.apache.lucene.search.TermQuery;
import org.apache.lucene.search.TopFieldCollector;
import org.apache.lucene.search.TopScoreDocCollector;
import org.apache.lucene.search.TotalHitCountCollector;
import org.apache.lucene.search.WildcardQuery;
import org.apache.lucene.store.MMapDirectory;
import org.apache.lucene.util.BytesRef;
import org.apache.lucene.util.NumericUtils;

/**
 * Lucene 8 on a corpus (corpus.h). Words are in "_all" and in a field of their property, as in the
 * search service that pxs stands in for; exact values in terms and doc-values. One thread, one
 * segment, no query cache, exact totals; each class is asked until the JIT has compiled it.
 *
 *     PeerLucene load CORPUS FOLDER
 *     PeerLucene query CORPUS FOLDER BUDGET
 */
public final class PeerLucene {
	private static final int RANGES = 5, PAGE = 20, CURSOR_PAGE = 1000;
	private static final double WARM_SECONDS = 1.5;

	private static final class Property {
		final String name;
		final char type;
		final boolean multi;

		Property(String line) {
			String[] fields = line.split("\t");

			name = fields[0];
			type = fields[1].charAt(0);
			multi = fields[2].equals("1");
		}

		boolean isString() {
			return type == 's';
		}

		/** As a long that sorts as the value does. */
		long number(String text) {
			return type == 'd' ? NumericUtils.doubleToSortableLong(Double.parseDouble(text))
					   : Long.parseLong(text);
		}
	}

	private static List<Property> schema(String corpus) throws IOException {
		List<Property> properties = new ArrayList<>();

		for (String line : Files.readAllLines(Paths.get(corpus, "schema.tsv")))
			properties.add(new Property(line));
		return properties;
	}

	/** Words come ready-made, parted by blanks; no phrase crosses two values. */
	private static final class Words extends Analyzer {
		@Override
		protected TokenStreamComponents createComponents(String field) {
			return new TokenStreamComponents(new WhitespaceTokenizer());
		}

		@Override
		public int getPositionIncrementGap(String field) {
			return 100;
		}
	}

	private static String words(String text) {
		StringBuilder words = new StringBuilder(text.length());

		for (int i = 0; i < text.length(); i++) {
			char c = text.charAt(i);

			words.append(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' ? c : ' ');
		}
		return words.toString();
	}

	/* --- Loading --- */

	private static void addString(Document document, Property property, String text) {
		String words = words(text);

		document.add(new TextField("_all", words, Field.Store.NO));
		document.add(new TextField("words." + property.name, words, Field.Store.NO));
		document.add(new StringField("exact." + property.name, text, Field.Store.NO));
		document.add(new SortedSetDocValuesField(
			"facet." + property.name,
			new BytesRef(FacetsConfig.pathToString(property.name, new String[] { text }))));
	}

	private static void addNumber(Document document, Property property, String text) {
		long number = property.number(text);

		if (property.type == 'b')
			document.add(new TextField("_all", text.equals("1") ? "true" : "false",
						   Field.Store.NO));
		else if (property.type != 't')
			document.add(new TextField("_all", text, Field.Store.NO));
		document.add(new LongPoint(property.name, number));
		if (!property.multi)
			document.add(new NumericDocValuesField(property.name, number));
	}

	private static Document document(List<Property> properties, String line) {
		Document document = new Document();
		String[] values = line.split("\t", -1);

		for (int i = 0; i < properties.size(); i++) {
			Property property = properties.get(i);

			if (values[i + 1].isEmpty())
				continue;
			for (String text : values[i + 1].split("\\|"))
				if (property.isString())
					addString(document, property, text);
				else
					addNumber(document, property, text);
		}
		return document;
	}

	private static void load(String corpus, String folder) throws IOException {
		List<Property> properties = schema(corpus);
		IndexWriterConfig config = new IndexWriterConfig(new Words());
		long started = System.nanoTime();
		int n = 0;

		config.setMergeScheduler(new SerialMergeScheduler());
		config.setRAMBufferSizeMB(128);
		try (BufferedReader lines = Files.newBufferedReader(Paths.get(corpus, "documents.tsv"));
		     IndexWriter writer = new IndexWriter(new MMapDirectory(Paths.get(folder)), config)) {
			for (String line; (line = lines.readLine()) != null; n++)
				writer.addDocument(document(properties, line));
			writer.forceMerge(1);
			writer.commit();
		}
		print("load_ns", System.nanoTime() - started);
		print("load_cpu_ns", cpuNs());
		print("documents", n);
		printMemory();
	}

	/* --- Queries --- */

	private static final class Question {
		final String name, action, keys;
		final int offset;
		final List<String[]> conditions = new ArrayList<>();
		int number;

		Question(String line) {
			String[] fields = line.split("\t");

			name = fields[0];
			action = fields[1];
			keys = fields[2];
			offset = Integer.parseInt(fields[3]);
			for (int i = 4; i < fields.length; i++)
				conditions.add(fields[i].split(":", 3));
		}
	}

	private final List<Property> properties;
	private final DirectoryReader reader;
	private final IndexSearcher searcher;
	private final List<SortedSetDocValuesReaderState> states = new ArrayList<>();
	private final List<LongRange[]> ranges = new ArrayList<>();

	private PeerLucene(String corpus, String folder) throws IOException {
		properties = schema(corpus);
		reader = DirectoryReader.open(new MMapDirectory(Paths.get(folder)));
		searcher = new IndexSearcher(reader);
		searcher.setQueryCache(null);
		for (Property property : properties) {
			states.add(property.isString() ? new DefaultSortedSetDocValuesReaderState(
								 reader, "facet." + property.name)
						       : null);
			ranges.add(property.isString() || property.multi ? null
									 : fifths(property));
		}
	}

	/** Ranges of about as many documents each, once for all: less work than to find them each time. */
	private LongRange[] fifths(Property property) throws IOException {
		LeafReaderContext leaf = reader.leaves().get(0);
		NumericDocValues values = DocValues.getNumeric(leaf.reader(), property.name);
		long[] all = new long[leaf.reader().maxDoc()];
		LongRange[] ranges = new LongRange[RANGES];
		int n = 0;

		while (values.nextDoc() != NumericDocValues.NO_MORE_DOCS)
			all[n++] = values.longValue();
		Arrays.sort(all, 0, n);
		for (int i = 0; i < RANGES; i++) {
			long low = all[n * i / RANGES];
			long high = i + 1 < RANGES ? all[n * (i + 1) / RANGES] : Long.MAX_VALUE;

			ranges[i] = new LongRange("range " + i, low, true, high, low == high);
		}
		return ranges;
	}

	private Property find(String name) {
		for (Property property : properties)
			if (property.name.equals(name))
				return property;
		throw new IllegalArgumentException(name);
	}

	private Query range(String field, String text) {
		String[] bounds = text.split("\\.\\.");
		Property property = find(field);
		long low = property.number(bounds[0]), high = property.number(bounds[1]) - 1;

		return new IndexOrDocValuesQuery(
			LongPoint.newRangeQuery(field, low, high),
			NumericDocValuesField.newSlowRangeQuery(field, low, high));
	}

	private Query any(String field, String text) {
		BooleanQuery.Builder builder = new BooleanQuery.Builder();

		for (String word : text.split(" "))
			builder.add(new TermQuery(new Term(field, word)), Occur.SHOULD);
		return builder.build();
	}

	private Query condition(String[] condition) {
		String field = condition[1].isEmpty() ? "_all" : "words." + condition[1];
		Term term = new Term(field, condition[2]);

		switch (condition[0]) {
		case "word":
		case "not":
			return new TermQuery(term);
		case "any":
			return any(field, condition[2]);
		case "phrase":
			return new PhraseQuery(field, condition[2].split(" "));
		case "prefix":
			return new PrefixQuery(term);
		case "infix":
			return new WildcardQuery(new Term(field, "*" + condition[2] + "*"));
		case "fuzzy1":
			return new FuzzyQuery(term, 1);
		case "fuzzy2":
			return new FuzzyQuery(term, 2);
		case "regex":
			return new RegexpQuery(term);
		case "is":
			return new TermQuery(new Term("exact." + condition[1], condition[2]));
		case "range":
			return range(condition[1], condition[2]);
		default:
			throw new IllegalArgumentException(condition[0]);
		}
	}

	/** Conditions on exact values are no part of the score. */
	private Query query(Question question) {
		BooleanQuery.Builder builder = new BooleanQuery.Builder();

		if (question.conditions.size() == 1)
			return condition(question.conditions.get(0));
		for (String[] condition : question.conditions) {
			boolean exact = condition[0].equals("is") || condition[0].equals("range");

			builder.add(condition(condition), condition[0].equals("not") ? Occur.MUST_NOT
							  : exact		     ? Occur.FILTER
										     : Occur.MUST);
		}
		return builder.build();
	}

	private Sort sort(String keys) {
		List<SortField> fields = new ArrayList<>();

		for (String key : keys.split(",")) {
			boolean descending = key.startsWith("-");
			Property property = find(descending ? key.substring(1) : key);
			SortField field;

			if (property.isString()) {
				field = new SortedSetSortField("facet." + property.name, descending);
				field.setMissingValue(SortField.STRING_LAST);
			} else {
				field = new SortField(property.name, SortField.Type.LONG, descending);
				field.setMissingValue(descending ? Long.MIN_VALUE : Long.MAX_VALUE);
			}
			fields.add(field);
		}
		return new Sort(fields.toArray(new SortField[0]));
	}

	private long top(Query query, Sort sort, int n, FieldDoc after, int threshold) throws IOException {
		TopFieldCollector collector = TopFieldCollector.create(sort, n, after, threshold);

		searcher.search(query, collector);
		return collector.topDocs().totalHits.value;
	}

	private long started;

	/** Five values of each string, five ranges of each number. */
	private void countFacets(FacetsCollector hits, boolean all) throws IOException {
		for (int i = 0; i < properties.size(); i++) {
			String name = properties.get(i).name;
			Facets facets;

			if (states.get(i) != null && all)
				facets = new SortedSetDocValuesFacetCounts(states.get(i));
			else if (states.get(i) != null)
				facets = new SortedSetDocValuesFacetCounts(states.get(i), hits);
			else if (ranges.get(i) != null)
				facets = new LongRangeFacetCounts(name, hits, ranges.get(i));
			else
				continue;
			facets.getTopChildren(RANGES, name);
		}
	}

	/** The search itself is not timed. */
	private long facets(Query query) throws IOException {
		FacetsCollector hits = new FacetsCollector();
		long n = 0;

		searcher.search(query, hits);
		for (FacetsCollector.MatchingDocs docs : hits.getMatchingDocs())
			n += docs.totalHits;
		started = System.nanoTime();
		countFacets(hits, n == reader.numDocs());
		return n;
	}

	private long answer(Question question) throws IOException {
		Query query = query(question);
		TotalHitCountCollector count = new TotalHitCountCollector();
		TopScoreDocCollector best;

		started = System.nanoTime();
		switch (question.action) {
		case "count":
			searcher.search(query, count);
			return count.getTotalHits();
		case "first":
			top(query, Sort.INDEXORDER, PAGE, null, 1);
			return -2;
		case "rank":
			best = TopScoreDocCollector.create(PAGE, Integer.MAX_VALUE);
			searcher.search(query, best);
			return best.topDocs().totalHits.value;
		case "sort":
		case "deep":
			return top(query, sort(question.keys), question.offset + PAGE, null,
				   Integer.MAX_VALUE);
		case "cursor":
			int from = reader.maxDoc() / 2 + question.number;

			top(query, Sort.INDEXORDER, CURSOR_PAGE,
			    new FieldDoc(from, 0, new Object[] { from }), 1);
			return -2;
		default:
			return facets(query);
		}
	}

	/** Until the class has been asked long enough for the JIT. */
	private void warm(List<Question> questions) throws IOException {
		long until = System.nanoTime() + (long) (WARM_SECONDS * 1e9);

		for (int round = 0; round < 25; round++)
			for (Question question : questions) {
				answer(question);
				if (System.nanoTime() > until)
					return;
			}
	}

	private void ask(List<Question> questions, double budget) throws IOException {
		long until = System.nanoTime() + (long) (budget * 1e9);

		warm(questions);
		for (Question question : questions) {
			long hits, took;

			if (question.number >= 5 && System.nanoTime() > until)
				return;
			started = System.nanoTime();
			hits = answer(question);
			took = System.nanoTime() - started;
			System.out.printf("1\t%s\t%d\t%d\t%d%n", question.name, question.number, hits, took);
		}
	}

	private static List<List<Question>> log(String corpus) throws IOException {
		List<List<Question>> classes = new ArrayList<>();
		String name = "";

		for (String line : Files.readAllLines(Paths.get(corpus, "queries.tsv"))) {
			Question question = new Question(line);

			if (!question.name.equals(name))
				classes.add(new ArrayList<>());
			name = question.name;
			question.number = classes.get(classes.size() - 1).size();
			classes.get(classes.size() - 1).add(question);
		}
		return classes;
	}

	/* --- Telling --- */

	private static void print(String name, long value) {
		System.out.println(name + "\t" + value);
	}

	private static long cpuNs() {
		return ((com.sun.management.OperatingSystemMXBean)
				java.lang.management.ManagementFactory.getOperatingSystemMXBean())
			.getProcessCpuTime();
	}

	private static void printMemory() throws IOException {
		for (String line : Files.readAllLines(Paths.get("/proc/self/status"))) {
			String[] fields = line.split("\\s+");

			if (fields[0].equals("VmRSS:"))
				print("rss_bytes", Long.parseLong(fields[1]) * 1024);
			if (fields[0].equals("RssAnon:"))
				print("rss_anonymous_bytes", Long.parseLong(fields[1]) * 1024);
		}
	}

	public static void main(String[] arguments) throws IOException {
		if (arguments[0].equals("load")) {
			load(arguments[1], arguments[2]);
			return;
		}
		PeerLucene peer = new PeerLucene(arguments[1], arguments[2]);

		for (List<Question> questions : log(arguments[1]))
			peer.ask(questions, Double.parseDouble(arguments[3]));
		printMemory();
	}
}
