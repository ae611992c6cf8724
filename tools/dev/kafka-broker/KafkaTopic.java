// SPDX-License-Identifier: BSD-3-Clause
// Makes, shows and reads topics with Kafka's own Java client, which shares no code with librdkafka.
// tools/kafka-topic --help describes the commands and the format of the file that read writes.

import java.io.BufferedOutputStream;
import java.io.DataOutputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.quota.ClientQuotaAlteration;
import org.apache.kafka.common.quota.ClientQuotaEntity;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

public final class KafkaTopic {
	private static final Map<String, Set<String>> OPTIONS = Map.of(
		"create", Set.of("--partitions", "--replication", "--config"),
		"delete", Set.of(),
		"describe", Set.of(),
		"add-partitions", Set.of(),
		"configure", Set.of("--config"),
		"quota", Set.of("--bytes-per-s"),
		"grant", Set.of("--principal", "--operation"),
		"revoke", Set.of("--principal", "--operation"),
		"read", Set.of("--output", "--until-count", "--follow-until-file", "--idle-ms", "--max",
			"--timeout-s"));

	private static final long SETTLE_MS = 30_000;
	private static final long LOOK_MS = 1_000;

	private final Admin admin;
	private final Arguments arguments;
	private final String topic;

	private KafkaTopic(Admin admin, Arguments arguments) {
		this.admin = admin;
		this.arguments = arguments;
		this.topic = arguments.words.get(1);
	}

	public static void main(String[] words) {
		int rc = 1;
		try {
			Arguments arguments = new Arguments(words);
			try (Admin admin = Admin.create(arguments.client())) {
				rc = new KafkaTopic(admin, arguments).run();
			}
		} catch (UsageException e) {
			System.err.println("kafka-topic: " + e.getMessage() + "; see --help");
			rc = 2;
		} catch (ExecutionException e) {
			System.err.println("kafka-topic: " + e.getCause().getMessage());
		} catch (Exception e) {
			System.err.println("kafka-topic: " + e);
		}
		System.exit(rc);
	}

	private int run() throws Exception {
		switch (arguments.words.get(0)) {
		case "create":
			create();
			return 0;
		case "delete":
			admin.deleteTopics(List.of(topic)).all().get();
			settle(() -> !exists());
			return 0;
		case "describe":
			describe();
			return 0;
		case "add-partitions":
			addPartitions((int) Arguments.number("N", arguments.words.get(2)));
			return 0;
		case "configure":
			configure();
			return 0;
		case "quota":
			limit(arguments.number("--bytes-per-s"));
			return 0;
		case "grant":
			admin.createAcls(List.of(acl())).all().get();
			settle(this::isGranted);
			return 0;
		case "revoke":
			admin.deleteAcls(List.of(acl().toFilter())).all().get();
			settle(() -> !isGranted());
			return 0;
		default:
			return read();
		}
	}

	private AclBinding acl() throws UsageException {
		AclOperation operation = AclOperation.fromString(arguments.required("--operation"));
		if (operation == AclOperation.UNKNOWN)
			throw new UsageException("--operation takes one of Kafka's, such as WRITE");
		return new AclBinding(
			new ResourcePattern(ResourceType.TOPIC, topic, PatternType.LITERAL),
			new AccessControlEntry(arguments.required("--principal"), "*", operation,
				AclPermissionType.ALLOW));
	}

	private boolean isGranted() throws Exception {
		return !admin.describeAcls(acl().toFilter()).values().get().isEmpty();
	}

	private void create() throws Exception {
		Optional<Short> replication
			= arguments.optionalNumber("--replication").map(Long::shortValue);
		int partitions = (int) arguments.number("--partitions");
		NewTopic wanted = new NewTopic(topic, Optional.of(partitions), replication);
		admin.createTopics(List.of(wanted.configs(config()))).all().get();
		settle(() -> exists() && led(partitions));
	}

	private Map<String, String> config() throws UsageException {
		Map<String, String> config = new HashMap<>();

		for (String pair : arguments.all("--config")) {
			int equals = pair.indexOf('=');
			if (equals < 1)
				throw new UsageException("--config takes KEY=VALUE");
			config.put(pair.substring(0, equals), pair.substring(equals + 1));
		}
		return config;
	}

	private void configure() throws Exception {
		ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
		List<AlterConfigOp> changes = config().entrySet().stream()
			.map(e -> new AlterConfigOp(new ConfigEntry(e.getKey(), e.getValue()),
				AlterConfigOp.OpType.SET))
			.collect(Collectors.toList());
		admin.incrementalAlterConfigs(Map.of(resource, changes)).all().get();
	}

	// What producers with a client id may send; 0: as much as they like.
	private void limit(long bytesPerSecond) throws Exception {
		ClientQuotaEntity entity
			= new ClientQuotaEntity(Map.of(ClientQuotaEntity.CLIENT_ID, topic));
		Double limit = bytesPerSecond > 0 ? (double) bytesPerSecond : null;
		ClientQuotaAlteration.Op change
			= new ClientQuotaAlteration.Op("producer_byte_rate", limit);
		admin.alterClientQuotas(List.of(new ClientQuotaAlteration(entity, List.of(change))))
			.all().get();
	}

	private void addPartitions(int partitions) throws Exception {
		NewPartitions wanted = NewPartitions.increaseTo(partitions);
		admin.createPartitions(Map.of(topic, wanted)).all().get();
		settle(() -> led(partitions));
	}

	private void describe() throws Exception {
		for (TopicPartitionInfo p : partitions()) {
			System.out.println("partition " + p.partition()
				+ " leader " + (led(p) ? p.leader().idString() : "-")
				+ " replicas " + ids(p.replicas()) + " isr " + ids(p.isr()));
		}
	}

	private static String ids(List<Node> nodes) {
		return nodes.stream().map(Node::idString).collect(Collectors.joining(","));
	}

	private List<TopicPartitionInfo> partitions() throws Exception {
		Map<String, TopicDescription> topics
			= admin.describeTopics(List.of(topic)).allTopicNames().get();
		return topics.get(topic).partitions();
	}

	private boolean exists() throws Exception {
		try {
			return !partitions().isEmpty();
		} catch (ExecutionException e) {
			if (e.getCause() instanceof UnknownTopicOrPartitionException)
				return false;
			throw e;
		}
	}

	// Whether the topic has so many partitions, each with a leader.
	private boolean led(int count) throws Exception {
		List<TopicPartitionInfo> partitions = partitions();
		return partitions.size() == count && partitions.stream().allMatch(KafkaTopic::led);
	}

	private static boolean led(TopicPartitionInfo p) {
		return p.leader() != null && !p.leader().isEmpty();
	}

	private interface Condition {
		boolean holds() throws Exception;
	}

	// Brokers learn of a change a moment after it is made: waits until it shows.
	private static void settle(Condition condition) throws Exception {
		long deadline = now() + SETTLE_MS;
		while (!condition.holds()) {
			if (now() > deadline)
				throw new IOException("done, but the brokers do not show it yet");
			Thread.sleep(20);
		}
	}

	private int read() throws Exception {
		String output = arguments.required("--output");
		Reader reader;

		try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(arguments.reader(),
			new ByteArrayDeserializer(), new ByteArrayDeserializer());
			DataOutputStream out = new DataOutputStream(
				new BufferedOutputStream(new FileOutputStream(output), 1 << 20))) {
			reader = new Reader(consumer, out);
			reader.run();
		}
		System.out.println(reader.count + " records");
		if (!reader.late)
			return 0;
		System.err.println("kafka-topic: timeout before " + reader.goal());
		return 1;
	}

	private static long now() {
		return System.nanoTime() / 1_000_000;
	}

	// One pass over a topic.
	private final class Reader {
		private final KafkaConsumer<byte[], byte[]> consumer;
		private final DataOutputStream out;
		private final long untilCount = arguments.optionalNumber("--until-count").orElse(-1L);
		private final long max = arguments.optionalNumber("--max").orElse(Long.MAX_VALUE);
		private final long idleMs
			= arguments.optionalNumber("--idle-ms").orElse(Long.MAX_VALUE);
		private final Path endFile
			= arguments.optional("--follow-until-file").map(Path::of).orElse(null);
		private final long deadline
			= now() + 1000 * arguments.optionalNumber("--timeout-s").orElse(600L);

		// Where to stop, by partition; null as long as that is not known.
		private Map<TopicPartition, Long> ends;
		private long count;
		private boolean late;

		Reader(KafkaConsumer<byte[], byte[]> consumer, DataOutputStream out)
			throws UsageException {
			this.consumer = consumer;
			this.out = out;
		}

		void run() throws Exception {
			long lastRecord = now();
			long lastLook = 0;
			boolean follow = untilCount >= 0 || endFile != null;

			assign();
			if (!follow)
				ends = consumer.endOffsets(consumer.assignment());
			while (!done() && now() - lastRecord < idleMs) {
				if (now() > deadline) {
					late = true;
					break;
				}
				if (write(consumer.poll(Duration.ofMillis(100))))
					lastRecord = now();
				if (ends == null && now() - lastLook >= LOOK_MS) {
					look();
					lastLook = now();
				}
			}
		}

		// Takes in new partitions; fixes the ends once the file that says so is there. When
		// no broker answers just now, the next look may do better.
		private void look() throws Exception {
			boolean stop = endFile != null && Files.exists(endFile);
			try {
				assign();
				if (stop)
					ends = consumer.endOffsets(consumer.assignment());
			} catch (RetriableException e) {
				return;
			} catch (ExecutionException e) {
				if (!(e.getCause() instanceof RetriableException))
					throw e;
			}
		}

		private void assign() throws Exception {
			consumer.assign(partitions().stream()
				.map(p -> new TopicPartition(topic, p.partition()))
				.collect(Collectors.toList()));
		}

		private boolean done() {
			if (count >= max || untilCount >= 0 && count >= untilCount)
				return true;
			return ends != null && ends.entrySet().stream()
				.allMatch(end -> consumer.position(end.getKey()) >= end.getValue());
		}

		// Whether there was anything.
		private boolean write(Iterable<ConsumerRecord<byte[], byte[]>> records)
			throws IOException {
			long before = count;
			for (ConsumerRecord<byte[], byte[]> r : records) {
				if (count == max)
					break;
				TopicPartition from = new TopicPartition(r.topic(), r.partition());
				if (ends != null && r.offset() >= ends.get(from))
					continue;
				out.writeInt(r.partition());
				out.writeLong(r.offset());
				out.writeLong(r.timestamp());
				write(r.key());
				write(r.value());
				count++;
			}
			return count > before;
		}

		private void write(byte[] bytes) throws IOException {
			out.writeInt(bytes == null ? -1 : bytes.length);
			if (bytes != null)
				out.write(bytes);
		}

		String goal() {
			if (untilCount >= 0)
				return untilCount + " records were there";
			return ends == null ? endFile + " appeared" : "the ends were reached";
		}
	}

	private static final class UsageException extends Exception {
		private static final long serialVersionUID = 1;

		UsageException(String message) {
			super(message);
		}
	}

	// The command line: words (the command, its topic, ...) and options with a value each.
	private static final class Arguments {
		final List<String> words = new ArrayList<>();
		private final Map<String, List<String>> options = new HashMap<>();

		Arguments(String[] line) throws UsageException {
			for (int i = 0; i < line.length; i++) {
				if (!line[i].startsWith("--")) {
					words.add(line[i]);
				} else {
					if (i + 1 == line.length)
						throw new UsageException(line[i] + " takes a value");
					options.computeIfAbsent(line[i], k -> new ArrayList<>())
						.add(line[++i]);
				}
			}
			check();
		}

		private void check() throws UsageException {
			if (words.isEmpty() || !OPTIONS.containsKey(words.get(0)))
				throw new UsageException(
					"the command is one of " + String.join(", ", OPTIONS.keySet()));
			String command = words.get(0);
			if (words.size() != (command.equals("add-partitions") ? 3 : 2))
				throw new UsageException(command + " takes the name of a topic"
					+ (command.equals("add-partitions") ? " and a number" : ""));
			required("--bootstrap");
			for (String option : options.keySet()) {
				if (!option.equals("--bootstrap")
					&& !OPTIONS.get(command).contains(option))
					throw new UsageException(command + " has no option " + option);
				if (all(option).size() > 1 && !option.equals("--config"))
					throw new UsageException(option + " is given twice");
			}
		}

		List<String> all(String option) {
			return options.getOrDefault(option, List.of());
		}

		Optional<String> optional(String option) {
			return all(option).stream().findFirst();
		}

		String required(String option) throws UsageException {
			return optional(option)
				.orElseThrow(() -> new UsageException(option + " is missing"));
		}

		long number(String option) throws UsageException {
			return number(option, required(option));
		}

		Optional<Long> optionalNumber(String option) throws UsageException {
			Optional<String> value = optional(option);
			if (value.isEmpty())
				return Optional.empty();
			return Optional.of(number(option, value.get()));
		}

		static long number(String name, String value) throws UsageException {
			if (!value.matches("[0-9]{1,9}"))
				throw new UsageException(name + " takes a number");
			return Long.parseLong(value);
		}

		Properties client() throws UsageException {
			Properties properties = new Properties();
			properties.put("bootstrap.servers", required("--bootstrap"));
			properties.put("default.api.timeout.ms", "15000");
			properties.put("request.timeout.ms", "10000");
			return properties;
		}

		Properties reader() throws UsageException {
			Properties properties = client();
			properties.put("auto.offset.reset", "earliest");
			properties.put("enable.auto.commit", "false");
			properties.put("check.crcs", "true");
			properties.put("fetch.max.bytes", String.valueOf(32 << 20));
			properties.put("max.partition.fetch.bytes", String.valueOf(4 << 20));
			properties.put("receive.buffer.bytes", String.valueOf(1 << 20));
			properties.put("max.poll.records", "50000");
			return properties;
		}
	}
}
